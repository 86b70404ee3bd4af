// Draws a View: cells on a canvas (3,600 of them cost about a millisecond), labels as text, and one
// focusable cell that moves, so that a keyboard and a screen reader reach every value.

import { onTheme, theme } from '../theme';
import { colourOf, type Tokens } from './colour';
import { element } from './element';
import { describe, nameOf } from './format';
import { formatWeight } from '../format';
import { type Cell, cellAt, type Layout, layOut, move } from './layout';
import { type Scene, type Shape, widthsOf } from './scene';
import type { Label, View } from './view';
import type { Shown } from './words';

export interface HeatmapEvents {
  /** The cell pointed at or focused changed; null when there is none. `keyboard`: worth announcing. */
  onCell: (cell: Cell | null, keyboard: boolean) => void;
}

const kLabelSize = 15;
/** Of the window: as .heatmap's max-height. */
const kBoxHeight = 0.85;

export class Heatmap {
  /** The scrolling box; its parent says how much room there is. */
  readonly element = element('div', { class: 'heatmap', id: 'heatmap' });
  readonly #events: HeatmapEvents;
  readonly #canvas = element('canvas', { class: 'cells' });
  readonly #columnLabels = element('div', { class: 'labels columns' });
  readonly #rowLabels = element('div', { class: 'labels rows' });
  readonly #plane = element('div', { class: 'plane' });
  readonly #cursor = element('div', { class: 'cursor' });
  readonly #rowBand = element('div', { class: 'band' });
  readonly #columnBand = element('div', { class: 'band' });
  readonly #fingers = matchMedia('(pointer: coarse), (max-width: 44rem)');
  #view: View | null = null;
  #shown: Shown = { least: 0, step: null };
  #layout: Layout | null = null;
  /** Where the keyboard is; kept when another head of the same sentence is chosen. */
  #cell: Cell = { row: 0, column: 0 };
  #pointed: Cell | null = null;

  constructor(events: HeatmapEvents) {
    const box = this.element;
    this.#events = events;
    const corner = element('div', { class: 'corner' });
    const row = element('div', { class: 'cursor-row' });
    row.setAttribute('role', 'row');
    row.append(this.#cursor);
    this.#cursor.setAttribute('role', 'gridcell');
    this.#cursor.tabIndex = 0;
    this.#plane.append(this.#canvas, this.#rowBand, this.#columnBand, row);
    for (const part of [corner, this.#columnLabels, this.#rowLabels, this.#canvas, this.#rowBand, this.#columnBand]) {
      part.setAttribute('aria-hidden', 'true');
    }
    box.setAttribute('role', 'grid');
    box.append(corner, this.#columnLabels, this.#rowLabels, this.#plane);
    box.hidden = true;

    this.#plane.addEventListener('pointermove', (event) => this.#point(event));
    this.#plane.addEventListener('pointerdown', (event) => {
      this.#point(event);
      if (this.#pointed) this.#cell = this.#pointed;
      this.#place();
    });
    this.#plane.addEventListener('pointerleave', (event) => {
      // A finger lifted leaves the value it asked for on the screen.
      if (event.pointerType !== 'touch') this.#leave();
    });
    this.#cursor.addEventListener('keydown', (event) => this.#key(event));
    this.#cursor.addEventListener('focus', () => {
      this.#pointed = null;
      this.#place();
      // A click focuses too; its value is already shown and need not be read out.
      this.#events.onCell(this.#cell, this.#cursor.matches(':focus-visible'));
    });
    this.#cursor.addEventListener('blur', () => this.#leave());
    onTheme(() => this.#draw());
  }

  /** To be called once, when the element is in the page. */
  watch(): void {
    new ResizeObserver(() => this.#arrange()).observe(this.element.parentElement!);
  }

  /** `name` says which attention this is, for those who do not see it. */
  show(view: View, name: string, shown: Shown): void {
    this.#shown = shown;
    const same =
      this.#view !== null &&
      sameLabels(this.#view.rows, view.rows) &&
      sameLabels(this.#view.columns, view.columns);
    this.#view = view;
    this.element.hidden = false;
    this.element.setAttribute('aria-label', name);
    this.element.setAttribute('aria-rowcount', String(view.rows.length));
    this.element.setAttribute('aria-colcount', String(view.columns.length));
    if (same) {
      this.#draw();
    } else {
      this.#cell = { row: 0, column: 0 };
      this.#pointed = null;
      this.#rowLabels.replaceChildren(...view.rows.map(labelElement));
      this.#columnLabels.replaceChildren(...view.columns.map(labelElement));
      this.#layout = null;
      this.#arrange();
    }
    this.#place();
    this.#events.onCell(this.#current(), false);
  }

  clear(): void {
    this.#view = null;
    this.element.hidden = true;
    this.#events.onCell(null, false);
  }

  #current(): Cell | null {
    if (this.#pointed) return this.#pointed;
    return document.activeElement === this.#cursor ? this.#cell : null;
  }

  #arrange(): void {
    if (!this.#view) return;
    const box = this.element.parentElement;
    if (!box || box.clientWidth === 0) return;
    const layout = layOut({
      available: { width: box.clientWidth, height: kBoxHeight * innerHeight },
      rowWidths: labelWidths(this.#view.rows),
      columnWidths: labelWidths(this.#view.columns),
      smallest: this.#fingers.matches ? 26 : 12,
    });
    if (JSON.stringify(layout) === JSON.stringify(this.#layout)) return;
    this.#layout = layout;
    const { style } = this.element;
    style.setProperty('--cell', `${layout.cell}px`);
    style.setProperty('--gap', `${layout.gap}px`);
    style.setProperty('--row-labels', `${layout.rowLabels}px`);
    style.setProperty('--column-labels', `${layout.columnLabels}px`);
    style.setProperty('--label-size', `${Math.min(15, Math.max(11, layout.cell - 2))}px`);
    this.#columnLabels.classList.toggle('upright', layout.upright);
    this.#draw();
    this.#place();
  }

  #draw(): void {
    const view = this.#view;
    const layout = this.#layout;
    if (!view || !layout) return;
    const scale = devicePixelRatio || 1;
    const canvas = this.#canvas;
    canvas.width = Math.round(layout.width * scale);
    canvas.height = Math.round(layout.height * scale);
    canvas.style.width = `${layout.width}px`;
    canvas.style.height = `${layout.height}px`;
    const context = canvas.getContext('2d');
    if (!context) return;
    context.scale(scale, scale);
    const { cell, gap, rows, columns } = layout;
    const now = theme();
    const { least, step } = this.#shown;
    const dot = now === 'dark' ? '#ffffff24' : '#00000022';
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const x = column * cell;
        const y = row * cell;
        const weight = view.weights[row * columns + column]!;
        const written = step === null || view.rows[row]!.tokens.begin <= step;
        if (view.masked(row, column) || !written) {
          // Not a weight of zero but no weight at all: no cell, only its place.
          context.fillStyle = dot;
          context.fillRect(x + cell / 2 - 1, y + cell / 2 - 1, 2, 2);
        } else {
          context.fillStyle = colourOf(weight < least ? 0 : weight, now);
          context.fillRect(x, y, cell - gap, cell - gap);
        }
      }
    }
  }

  #point(event: PointerEvent): void {
    if (!this.#layout) return;
    const corner = this.#canvas.getBoundingClientRect();
    const cell = cellAt(this.#layout, event.clientX - corner.left, event.clientY - corner.top);
    if (!cell || (cell.row === this.#pointed?.row && cell.column === this.#pointed.column)) return;
    this.#pointed = cell;
    this.#place();
    this.#events.onCell(cell, false);
  }

  #leave(): void {
    this.#pointed = null;
    this.#place();
    this.#events.onCell(this.#current(), false);
  }

  #key(event: KeyboardEvent): void {
    if (!this.#layout || event.altKey || event.metaKey) return;
    const cell = move(this.#layout, this.#cell, event.key, event.ctrlKey);
    if (!cell) return;
    event.preventDefault();
    this.#pointed = null;
    this.#cell = cell;
    this.#place();
    this.#reveal();
    this.#events.onCell(cell, true);
  }

  /** Puts the ring on the current cell and lights its two labels. */
  #place(): void {
    const view = this.#view;
    const layout = this.#layout;
    if (!view || !layout) return;
    const current = this.#current();
    const { row, column } = current ?? this.#cell;
    const { style } = this.#cursor;
    style.transform = `translate(${column * layout.cell}px, ${row * layout.cell}px)`;
    this.#cursor.classList.toggle('shown', current !== null);
    this.element.classList.toggle('crossed', current !== null);
    const { cell, gap, width, height } = layout;
    band(this.#rowBand, 0, row * cell, width - gap, cell - gap);
    band(this.#columnBand, column * cell, 0, cell - gap, height - gap);
    this.#cursor.setAttribute('aria-label', describe(view, { row, column }));
    this.#cursor.setAttribute('aria-colindex', String(column + 1));
    this.#cursor.parentElement?.setAttribute('aria-rowindex', String(row + 1));
    light(this.#rowLabels, current ? row : -1);
    light(this.#columnLabels, current ? column : -1);
  }

  /** Scrolls the box, not the page, until the cursor is out from under the labels. */
  #reveal(): void {
    const { cell, rowLabels, columnLabels } = this.#layout!;
    const box = this.element;
    const left = this.#cell.column * cell;
    const top = this.#cell.row * cell;
    const width = box.clientWidth - rowLabels;
    const height = box.clientHeight - columnLabels;
    if (left < box.scrollLeft) box.scrollLeft = left;
    if (left + cell > box.scrollLeft + width) box.scrollLeft = left + cell - width;
    if (top < box.scrollTop) box.scrollTop = top;
    if (top + cell > box.scrollTop + height) box.scrollTop = top + cell - height;
    this.#cursor.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }
}

/** Moved and stretched, never laid out anew. */
function band({ style }: HTMLElement, x: number, y: number, width: number, height: number): void {
  style.transform = `translate(${x}px, ${y}px) scale(${width}, ${height})`;
}

function sameLabels(a: readonly Label[], b: readonly Label[]): boolean {
  return a.length === b.length && a.every((label, i) => nameOf(label) === nameOf(b[i]!));
}

function light(labels: HTMLElement, index: number): void {
  labels.querySelector('.lit')?.classList.remove('lit');
  labels.children[index]?.classList.add('lit');
}

function labelElement(label: Label): HTMLElement {
  return element(
    'span',
    { class: label.special ? 'label special' : 'label' },
    element(
      'span',
      { class: 'label-text', title: nameOf(label) },
      label.space && element('span', { class: 'space' }, '▁'),
      label.special || label.text !== '' ? nameOf(label) : null,
    ),
  );
}

function labelWidths(labels: readonly Label[]): number[] {
  return widthsOf(labels.map((label) => (label.space ? '▁' : '') + nameOf(label)), kLabelSize);
}

/** The matrix as a drawing; a cell lights up with its two labels. */
export function sceneOfMatrix(
  view: View,
  { title, least, colours }: { title: string; least: number; colours: Tokens },
): Scene {
  const layout = layOut({
    available: { width: 1200, height: 1200 },
    rowWidths: labelWidths(view.rows),
    columnWidths: labelWidths(view.columns),
    smallest: 12,
  });
  const { cell, gap, rowLabels, columnLabels, upright } = layout;
  const size = Math.min(15, Math.max(9, cell - 2));
  const margin = 16;
  const [left, top] = [margin + rowLabels, margin + columnLabels];
  const shapes: Shape[] = [];
  for (const [column, label] of view.columns.entries()) {
    const centre = left + column * cell + (cell - gap) / 2;
    shapes.push({
      kind: 'text',
      text: nameOf(label),
      size,
      italic: label.special,
      fill: colours.quiet,
      keys: [`c${column}`],
      ...(upright
        ? { x: centre - size * 0.35, y: top - 8, anchor: 'end' as const, upright: true }
        : { x: centre, y: top - 8, anchor: 'middle' as const }),
    });
  }
  for (const [row, label] of view.rows.entries()) {
    shapes.push({
      kind: 'text',
      text: nameOf(label),
      size,
      italic: label.special,
      fill: colours.quiet,
      anchor: 'end',
      x: left - 10,
      y: top + row * cell + (cell - gap) / 2 + size * 0.35,
      keys: [`r${row}`],
    });
    for (let column = 0; column < view.columns.length; column++) {
      if (view.masked(row, column)) continue;
      const weight = view.weights[row * view.columns.length + column]!;
      shapes.push({
        kind: 'rectangle',
        x: left + column * cell,
        y: top + row * cell,
        width: cell - gap,
        height: cell - gap,
        fill: colourOf(weight < least ? 0 : weight, theme()),
        keys: [`r${row}`, `c${column}`],
        tip: `${nameOf(view.columns[column]!)} → ${nameOf(label)} ${formatWeight(weight)}`,
      });
    }
  }
  return { title, width: left + layout.width + margin, height: top + layout.height + margin, background: colours.paper, shapes };
}
