import { describe, expect, it } from 'vitest';
import { cellAt, layOut, move } from '../src/page/attention/layout';

const widths = (count: number, width: number) => Array.from({ length: count }, () => width);

describe('layOut', () => {
  it('a short sentence gets large cells and labels over them', () => {
    const layout = layOut({ available: { width: 1000, height: 2000 }, rowWidths: widths(4, 30), columnWidths: widths(5, 20), smallest: 15 });
    expect(layout).toMatchObject({ rows: 4, columns: 5, cell: 56, upright: false });
    expect(layout.width).toBe(280);
  });

  it('a longer one shrinks to fit, its labels turned', () => {
    const layout = layOut({ available: { width: 1000, height: 2000 }, rowWidths: widths(40, 50), columnWidths: widths(40, 50), smallest: 15 });
    expect(layout.cell).toBe(23);
    expect(layout.upright).toBe(true);
    expect(layout.rowLabels + layout.width).toBeLessThanOrEqual(1000);
  });

  it('the whole of a square fits a low window', () => {
    const layout = layOut({
      available: { width: 1000, height: 700 },
      rowWidths: widths(40, 30),
      columnWidths: widths(40, 30),
      smallest: 12,
    });
    expect(layout.columnLabels + layout.height).toBeLessThanOrEqual(700);
  });

  it('cells never become too small to point at: the box scrolls instead', () => {
    const layout = layOut({ available: { width: 320, height: 2000 }, rowWidths: widths(60, 40), columnWidths: widths(60, 40), smallest: 26 });
    expect(layout.cell).toBe(26);
    expect(layout.width).toBe(60 * 26);
  });

  it('one endless token does not push the cells away', () => {
    const layout = layOut({ available: { width: 360, height: 2000 }, rowWidths: [900], columnWidths: [900], smallest: 15 });
    expect(layout.rowLabels).toBeLessThan(130);
    expect(layout.columnLabels).toBeLessThan(130);
  });
});

describe('cellAt', () => {
  const layout = layOut({ available: { width: 200, height: 2000 }, rowWidths: widths(2, 20), columnWidths: widths(3, 20), smallest: 15 });
  it('finds the cell under a point, and none outside', () => {
    const { cell } = layout;
    expect(cellAt(layout, 0, 0)).toEqual({ row: 0, column: 0 });
    expect(cellAt(layout, 3 * cell - 0.5, cell)).toEqual({ row: 1, column: 2 });
    expect(cellAt(layout, 3 * cell, 0)).toBeNull();
    expect(cellAt(layout, 0, 2 * cell)).toBeNull();
    expect(cellAt(layout, -0.5, 0)).toBeNull();
  });
});

describe('move', () => {
  const grid = { rows: 3, columns: 4 };
  const at = { row: 1, column: 1 };
  it.each([
    ['ArrowUp', false, { row: 0, column: 1 }],
    ['ArrowDown', false, { row: 2, column: 1 }],
    ['ArrowLeft', false, { row: 1, column: 0 }],
    ['ArrowRight', false, { row: 1, column: 2 }],
    ['ArrowRight', true, { row: 1, column: 3 }],
    ['ArrowDown', true, { row: 2, column: 1 }],
    ['Home', false, { row: 1, column: 0 }],
    ['End', false, { row: 1, column: 3 }],
    ['Home', true, { row: 0, column: 0 }],
    ['End', true, { row: 2, column: 3 }],
    ['PageDown', false, { row: 2, column: 1 }],
    ['a', false, null],
    ['Tab', false, null],
  ] as const)('%s (control %s)', (key, control, expected) => {
    expect(move(grid, at, key, control)).toEqual(expected);
  });

  it('stops at the edges', () => {
    expect(move(grid, { row: 0, column: 0 }, 'ArrowUp', false)).toEqual({ row: 0, column: 0 });
    expect(move(grid, { row: 2, column: 3 }, 'ArrowRight', false)).toEqual({ row: 2, column: 3 });
  });
});
