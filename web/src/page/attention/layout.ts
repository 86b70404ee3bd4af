// Where the heatmap's cells and labels are, in CSS pixels. No DOM here.

export interface Layout {
  rows: number;
  columns: number;
  /** Side of a cell, gap included. */
  cell: number;
  gap: number;
  width: number;
  height: number;
  rowLabels: number;
  columnLabels: number;
  /** Column labels run downwards because the widest does not fit over its column. */
  upright: boolean;
}

export interface Cell {
  row: number;
  column: number;
}

export interface LayoutInput {
  /** Room for the box, labels included. Beyond it the box scrolls. */
  available: { width: number; height: number };
  /** Widths of the labels as written from left to right. */
  rowWidths: readonly number[];
  columnWidths: readonly number[];
  /** The smallest cell that can be pointed at: larger for fingers. */
  smallest: number;
}

const kLargest = 56;
const kLabelPadding = 14;
const kLongestLabel = 112;

export function layOut({ available, rowWidths, columnWidths, smallest }: LayoutInput): Layout {
  const rows = rowWidths.length;
  const columns = columnWidths.length;
  const widest = (widths: readonly number[]) =>
    Math.ceil(Math.min(kLongestLabel, widths.reduce((a, b) => Math.max(a, b), 0))) + kLabelPadding;
  const rowLabels = widest(rowWidths);
  const widestColumn = widest(columnWidths);
  const across = (available.width - rowLabels) / Math.max(1, columns);
  const down = (available.height - widestColumn) / Math.max(1, rows);
  // Too many tokens for the box: cells stop shrinking and the box scrolls.
  const cell = Math.max(smallest, Math.floor(Math.min(kLargest, across, down)));
  const upright = widestColumn - kLabelPadding + 6 > cell;
  return {
    rows,
    columns,
    cell,
    gap: cell >= 20 ? 2 : 1,
    width: columns * cell,
    height: rows * cell,
    rowLabels,
    columnLabels: upright ? widestColumn : 30,
    upright,
  };
}

/** The cell at a point relative to the matrix's corner, or null outside. */
export function cellAt({ rows, columns, cell }: Layout, x: number, y: number): Cell | null {
  const row = Math.floor(y / cell);
  const column = Math.floor(x / cell);
  return row >= 0 && row < rows && column >= 0 && column < columns ? { row, column } : null;
}

/** Where a key moves the cursor; null when the key is not one of the grid's. */
export function move(
  { rows, columns }: Pick<Layout, 'rows' | 'columns'>,
  { row, column }: Cell,
  key: string,
  control: boolean,
): Cell | null {
  const lastRow = rows - 1;
  const lastColumn = columns - 1;
  switch (key) {
    case 'ArrowUp':
      return { row: control ? 0 : Math.max(0, row - 1), column };
    case 'ArrowDown':
      return { row: control ? lastRow : Math.min(lastRow, row + 1), column };
    case 'ArrowLeft':
      return { row, column: control ? 0 : Math.max(0, column - 1) };
    case 'ArrowRight':
      return { row, column: control ? lastColumn : Math.min(lastColumn, column + 1) };
    case 'PageUp':
      return { row: Math.max(0, row - 10), column };
    case 'PageDown':
      return { row: Math.min(lastRow, row + 10), column };
    case 'Home':
      return { row: control ? 0 : row, column: 0 };
    case 'End':
      return { row: control ? lastRow : row, column: lastColumn };
    default:
      return null;
  }
}
