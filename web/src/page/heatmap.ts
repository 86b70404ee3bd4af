// Draws a View: cells on a canvas (3,600 of them cost about a millisecond), labels as text, and one
// focusable cell that moves, so that a keyboard and a screen reader reach every value.

import { colourOf, type Theme } from './colour';
import { formatWeight } from './format';
import { type Cell, cellAt, type Layout, layOut, move } from './layout';
import type { Label, View } from './view';

export interface HeatmapEvents {
  /** The cell pointed at or focused changed; null when there is none. `keyboard`: worth announcing. */
  onCell: (cell: Cell | null, keyboard: boolean) => void;
}

const kLabelFont = '15px';
/** Of the window: as .heatmap's max-height. */
const kBoxHeight = 0.85;

export class Heatmap {
  readonly #box: HTMLElement;
  readonly #events: HeatmapEvents;
  readonly #canvas = element('canvas', 'cells');
  readonly #columnLabels = element('div', 'labels columns');
  readonly #rowLabels = element('div', 'labels rows');
  readonly #plane = element('div', 'plane');
  readonly #cursor = element('div', 'cursor');
  readonly #dark = matchMedia('(prefers-color-scheme: dark)');
  readonly #fingers = matchMedia('(pointer: coarse), (max-width: 44rem)');
  #view: View | null = null;
  #layout: Layout | null = null;
  /** Where the keyboard is; kept when another head of the same sentence is chosen. */
  #cell: Cell = { row: 0, column: 0 };
  #pointed: Cell | null = null;

  constructor(box: HTMLElement, events: HeatmapEvents) {
    this.#box = box;
    this.#events = events;
    const corner = element('div', 'corner');
    const row = element('div', 'cursor-row');
    row.setAttribute('role', 'row');
    row.append(this.#cursor);
    this.#cursor.setAttribute('role', 'gridcell');
    this.#cursor.tabIndex = 0;
    this.#plane.append(this.#canvas, row);
    for (const part of [corner, this.#columnLabels, this.#rowLabels, this.#canvas]) {
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
    this.#dark.addEventListener('change', () => this.#draw());
    new ResizeObserver(() => this.#arrange()).observe(box.parentElement ?? box);
  }

  get theme(): Theme {
    return this.#dark.matches ? 'dark' : 'light';
  }

  /** `name` says which attention this is, for those who do not see it. */
  show(view: View, name: string): void {
    const same =
      this.#view !== null &&
      sameLabels(this.#view.rows, view.rows) &&
      sameLabels(this.#view.columns, view.columns);
    this.#view = view;
    this.#box.hidden = false;
    this.#box.setAttribute('aria-label', name);
    this.#box.setAttribute('aria-rowcount', String(view.rows.length));
    this.#box.setAttribute('aria-colcount', String(view.columns.length));
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
    this.#box.hidden = true;
    this.#events.onCell(null, false);
  }

  #current(): Cell | null {
    if (this.#pointed) return this.#pointed;
    return document.activeElement === this.#cursor ? this.#cell : null;
  }

  #arrange(): void {
    if (!this.#view) return;
    const box = this.#box.parentElement ?? this.#box;
    const layout = layOut({
      available: { width: box.clientWidth, height: kBoxHeight * innerHeight },
      rowWidths: widthsOf(this.#view.rows, this.#box),
      columnWidths: widthsOf(this.#view.columns, this.#box),
      smallest: this.#fingers.matches ? 26 : 12,
    });
    if (JSON.stringify(layout) === JSON.stringify(this.#layout)) return;
    this.#layout = layout;
    const { style } = this.#box;
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
    const { theme } = this;
    const dot = theme === 'dark' ? '#ffffff24' : '#00000022';
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const x = column * cell;
        const y = row * cell;
        if (view.masked(row, column)) {
          // Not a weight of zero but no weight at all: no cell, only its place.
          context.fillStyle = dot;
          context.fillRect(x + cell / 2 - 1, y + cell / 2 - 1, 2, 2);
        } else {
          context.fillStyle = colourOf(view.weights[row * columns + column]!, theme);
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
    this.#cursor.setAttribute('aria-label', describe(view, { row, column }));
    this.#cursor.setAttribute('aria-colindex', String(column + 1));
    this.#cursor.parentElement?.setAttribute('aria-rowindex', String(row + 1));
    light(this.#rowLabels, current ? row : -1);
    light(this.#columnLabels, current ? column : -1);
  }

  /** Scrolls the box, not the page, until the cursor is out from under the labels. */
  #reveal(): void {
    const { cell, rowLabels, columnLabels } = this.#layout!;
    const box = this.#box;
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

/** "狗 → dog 0.8312": from the token looked at to the token that looks. */
export function describe(view: View, { row, column }: Cell): string {
  const weight = view.weights[row * view.columns.length + column]!;
  const value = view.masked(row, column) ? 'masked' : formatWeight(weight);
  return `${nameOf(view.columns[column]!)} → ${nameOf(view.rows[row]!)} ${value}`;
}

export function nameOf(label: Label): string {
  return label.text === '' ? '▁' : label.text;
}

function sameLabels(a: readonly Label[], b: readonly Label[]): boolean {
  return a.length === b.length && a.every((label, i) => label.text === b[i]!.text);
}

function light(labels: HTMLElement, index: number): void {
  labels.querySelector('.lit')?.classList.remove('lit');
  labels.children[index]?.classList.add('lit');
}

function labelElement(label: Label): HTMLElement {
  const item = element('span', label.special ? 'label special' : 'label');
  const text = element('span', 'label-text');
  text.title = nameOf(label);
  if (label.space) {
    const mark = element('span', 'space');
    mark.textContent = '▁';
    text.append(mark);
  }
  text.append(label.text);
  item.append(text);
  return item;
}

let measure: CanvasRenderingContext2D | null = null;

/** Measured on a canvas: asking 120 labels for their boxes would lay out the page each time. */
function widthsOf(labels: readonly Label[], box: HTMLElement): number[] {
  measure ??= document.createElement('canvas').getContext('2d');
  if (!measure) return labels.map((label) => label.text.length * 9);
  measure.font = `${kLabelFont} ${getComputedStyle(box).fontFamily}`;
  return labels.map(
    (label) => measure!.measureText((label.space ? '▁' : '') + nameOf(label)).width,
  );
}

function element<K extends keyof HTMLElementTagNameMap>(tag: K, className: string) {
  const made = document.createElement(tag);
  made.className = className;
  return made;
}
