// One matrix of the model: cells on a canvas, the value under the pointer or the keyboard beside its
// name. Pointing moves two bands and writes one line; nothing is drawn again.

import { onTheme } from '../theme';
import { formatNumber, make } from './build';
import { colours, indexOf } from './scale';
import { text } from './texts';
import type { MatrixData } from './types';

export interface MatrixView {
  data: MatrixData;
  title: string;
  /** Names of rows and columns; columns without names are numbered dimensions. */
  rows: readonly string[];
  cols: readonly string[] | null;
  /** Signed: zero is the middle of the scale. Otherwise the scale begins at 0. */
  signed: boolean;
  /** The largest value of the scale, where several matrices share one. */
  limit?: number;
  /** Columns right of the diagonal lie in the future of their row: a line of steps parts them off. */
  future?: boolean;
  /** A long row is folded into several: its own shape, and what a cell is. */
  shape?: readonly [rows: number, cols: number];
  cellName?: (cell: Cell) => string;
}

export interface Cell {
  row: number;
  col: number;
}

const kRowLabels = 88;
const kFont = '13px';
/** Names that slant over the last column reach beyond it. */
const kOverhang = 34;
const live = new Set<WeakRef<Matrix>>();

onTheme(() => {
  for (const reference of live) {
    const matrix = reference.deref();
    if (matrix) matrix.draw();
    else live.delete(reference);
  }
});

export class Matrix {
  readonly element = make('figure', 'inside-matrix');
  readonly #title = make('span', 'inside-matrix-title');
  readonly #facts = make('span', 'inside-matrix-facts');
  readonly #canvas = make('canvas');
  readonly #row = make('div', 'inside-band');
  readonly #col = make('div', 'inside-band');
  readonly #box = make('div', 'inside-matrix-box');
  readonly #plane = make('div', 'inside-matrix-plane');
  readonly #readout = make('p', 'inside-readout');
  readonly #announcer = make('p', 'unseen');
  readonly #onCell: ((cell: Cell) => void) | undefined;
  #view: MatrixView | null = null;
  #cell: Cell = { row: 1, col: 1 };
  #width = 0; // of a cell, in pixels
  #height = 0;
  #left = kRowLabels;
  #top = 0;
  #frame = 0;

  constructor(onCell?: (cell: Cell) => void) {
    this.#onCell = onCell;
    this.#announcer.setAttribute('aria-live', 'polite');
    this.#canvas.setAttribute('aria-hidden', 'true');
    this.#plane.append(this.#canvas, this.#row, this.#col);
    this.#box.append(this.#plane);
    this.#box.tabIndex = 0;
    this.#box.setAttribute('role', 'img');
    this.element.append(
      make('figcaption', '', this.#title, this.#facts),
      this.#box,
      this.#readout,
      this.#announcer,
    );
    this.#plane.addEventListener('pointermove', (event) => this.#point(event));
    this.#plane.addEventListener('pointerdown', (event) => this.#point(event));
    this.#plane.addEventListener('pointerleave', () => this.#bands(false));
    this.#box.addEventListener('focus', () => this.#bands(true));
    this.#box.addEventListener('blur', () => this.#bands(false));
    this.#box.addEventListener('keydown', (event) => this.#key(event));
    new ResizeObserver(() => this.#arrange()).observe(this.element);
    live.add(new WeakRef(this));
  }

  get cell(): Cell {
    return this.#cell;
  }

  show(view: MatrixView, cell?: Cell): void {
    this.#view = view;
    const { min, max } = view.data;
    const [rows, cols] = view.shape ?? [view.data.rows, view.data.cols];
    this.#title.textContent = view.title;
    this.#facts.textContent = text().facts(rows, cols, formatNumber(min), formatNumber(max));
    this.#box.setAttribute('aria-label', `${view.title}: ${this.#facts.textContent}`);
    this.#cell = clamp(cell ?? this.#cell, view.data);
    this.#arrange(true);
    this.#read();
  }

  /** Points at a cell without telling anyone, to follow another matrix. */
  point(cell: Cell): void {
    if (!this.#view) return;
    this.#cell = clamp(cell, this.#view.data);
    this.#place();
    this.#read();
  }

  #arrange(force = false): void {
    const view = this.#view;
    const available = this.element.clientWidth;
    if (!view || available === 0) return;
    const { rows, cols } = view.data;
    this.#left = Math.min(kRowLabels, Math.max(40, available / 4));
    const named = view.cols !== null;
    const top = named ? Math.min(74, 24 + 6 * (widest(view.cols!) - 1)) : 0;
    const room = available - this.#left - (top > 24 ? kOverhang : 0);
    // A column needs a finger's width where it has a name; dimensions may be as thin as a pixel.
    const width = named ? Math.max(16, Math.min(44, Math.floor(room / cols))) : Math.max(1, room / cols);
    const height = named
      ? Math.max(16, Math.min(width, 36))
      : rows === 1
        ? 34
        : Math.max(8, Math.min(24, Math.floor(420 / rows)));
    if (!force && width === this.#width && height === this.#height && top === this.#top) return;
    this.#width = width;
    this.#height = height;
    this.#top = top;
    this.draw();
    this.#place();
  }

  draw(): void {
    const view = this.#view;
    if (!view || this.#width === 0) return;
    const { rows, cols, values } = view.data;
    const left = this.#left;
    const top = this.#top;
    const width = left + cols * this.#width + (top > 24 ? kOverhang : 0);
    const height = top + rows * this.#height;
    const ratio = Math.min(devicePixelRatio || 1, 2);
    this.#canvas.width = Math.round(width * ratio);
    this.#canvas.height = Math.round(height * ratio);
    this.#canvas.style.width = `${width}px`;
    this.#canvas.style.height = `${height}px`;
    const context = this.#canvas.getContext('2d');
    if (!context || rows === 0 || cols === 0) return;
    const style = getComputedStyle(this.element);
    const paper = style.getPropertyValue('background-color');
    const ink = style.color;
    context.scale(ratio, ratio);

    // One pixel a cell, then enlarged: as fast for 120 × 1024 cells as for 5 × 5.
    const table = colours(view.signed);
    const size = view.limit ?? Math.max(Math.abs(view.data.min), Math.abs(view.data.max));
    const low = view.signed ? -size : 0;
    const image = new ImageData(cols, rows);
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      if (value === -Infinity) continue; // masked: no cell
      const [r, g, b] = table[indexOf(view.signed ? value : Math.sqrt(value * size), low, size)]!;
      image.data.set([r, g, b, 255], i * 4);
    }
    const small = new OffscreenCanvas(cols, rows);
    small.getContext('2d')!.putImageData(image, 0, 0);
    context.imageSmoothingEnabled = false;
    context.drawImage(small, left, top, cols * this.#width, rows * this.#height);

    context.fillStyle = paper;
    if (this.#width >= 8) {
      for (let c = 0; c <= cols; c++) context.fillRect(left + c * this.#width - 1, top, 1, rows * this.#height);
    }
    if (this.#height >= 8) {
      for (let r = 0; r <= rows; r++) context.fillRect(left, top + r * this.#height - 1, cols * this.#width, 1);
    }
    if (view.future) {
      context.beginPath();
      context.moveTo(left + this.#width, top);
      for (let r = 0; r < rows; r++) {
        context.lineTo(left + Math.min(cols, r + 1) * this.#width, top + (r + 1) * this.#height);
        if (r + 1 < cols) context.lineTo(left + (r + 2) * this.#width, top + (r + 1) * this.#height);
      }
      // Twice, so that it is seen on the light and on the dark cells.
      for (const [stroke, width] of [[paper, 5], [ink, 2]] as const) {
        context.strokeStyle = stroke;
        context.lineWidth = width;
        context.stroke();
      }
    }
    context.fillStyle = ink;
    context.font = `${kFont} ${style.fontFamily}`;
    context.textBaseline = 'middle';
    context.textAlign = 'right';
    const every = Math.max(1, Math.ceil(14 / this.#height)); // labels that would touch are left out
    for (let r = 0; r < rows; r += every) {
      const name = fit(context, view.rows[r] ?? '', left - 10);
      context.fillText(name, left - 8, top + (r + 0.5) * this.#height);
    }
    for (let c = 0; view.cols && c < cols; c++) {
      const x = left + (c + 0.5) * this.#width;
      if (top <= 24) {
        context.textAlign = 'center';
        context.fillText(view.cols[c] ?? '', x, top / 2);
        continue;
      }
      context.save();
      context.translate(x, top - 6);
      context.rotate(-Math.PI / 3);
      context.textAlign = 'left';
      context.fillText(fit(context, view.cols[c] ?? '', top - 6), 0, 0);
      context.restore();
    }
    this.#plane.style.width = `${width}px`;
    this.#plane.style.height = `${height}px`;
  }

  #point(event: PointerEvent): void {
    // offsetX is of the element under the pointer; the bands do not take any.
    const col = Math.floor((event.offsetX - this.#left) / this.#width);
    const row = Math.floor((event.offsetY - this.#top) / this.#height);
    this.#go({ row, col }, false);
  }

  #key(event: KeyboardEvent): void {
    if (!this.#view || event.altKey || event.metaKey) return;
    const { row, col } = this.#cell;
    const { rows, cols } = this.#view.data;
    const to: Record<string, Cell> = {
      ArrowUp: { row: row - 1, col },
      ArrowDown: { row: row + 1, col },
      ArrowLeft: { row, col: col - 1 },
      ArrowRight: { row, col: col + 1 },
      PageUp: { row: row - 10, col },
      PageDown: { row: row + 10, col },
      Home: { row: event.ctrlKey ? 0 : row, col: 0 },
      End: { row: event.ctrlKey ? rows - 1 : row, col: cols - 1 },
    };
    const cell = to[event.key];
    if (!cell) return;
    event.preventDefault();
    event.stopPropagation();
    this.#go(cell, true);
  }

  #go(cell: Cell, keyboard: boolean): void {
    if (!this.#view) return;
    const next = clamp(cell, this.#view.data);
    const same = next.row === this.#cell.row && next.col === this.#cell.col;
    this.#cell = next;
    this.#bands(true);
    if (same) return;
    this.#read();
    if (keyboard) {
      this.#announcer.textContent = this.#readout.textContent;
      this.#reveal();
    }
    // What follows the cell (the formula) is written once a frame, however fast the pointer is.
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => this.#onCell?.(this.#cell));
  }

  #read(): void {
    const view = this.#view;
    if (!view) return;
    const { row, col } = this.#cell;
    const value = view.data.values[row * view.data.cols + col];
    const at = view.cols ? (view.cols[col] ?? '') : text().dimension(col + 1);
    const name = view.cellName?.(this.#cell) ?? `${view.rows[row] ?? ''} · ${at}`;
    this.#readout.textContent =
      value === undefined ? '' : `${name} = ${value === -Infinity ? text().masked : formatNumber(value)}`;
    this.#readout.dataset.value = String(value ?? '');
  }

  #bands(shown: boolean): void {
    this.#plane.classList.toggle('pointed', shown);
    if (shown) this.#place();
  }

  #place(): void {
    const { row, col } = this.#cell;
    const view = this.#view;
    if (!view) return;
    const { rows, cols } = view.data;
    Object.assign(this.#row.style, {
      transform: `translate(${this.#left}px, ${this.#top + row * this.#height}px)`,
      width: `${cols * this.#width}px`,
      height: `${this.#height}px`,
    });
    Object.assign(this.#col.style, {
      transform: `translate(${this.#left + col * this.#width}px, ${this.#top}px)`,
      width: `${Math.max(2, this.#width)}px`,
      height: `${rows * this.#height}px`,
    });
  }

  #reveal(): void {
    const box = this.#box;
    const x = this.#left + this.#cell.col * this.#width;
    const y = this.#top + this.#cell.row * this.#height;
    if (x - this.#left < box.scrollLeft) box.scrollLeft = x - this.#left;
    if (x + this.#width > box.scrollLeft + box.clientWidth) box.scrollLeft = x + this.#width - box.clientWidth;
    if (y - this.#top < box.scrollTop) box.scrollTop = y - this.#top;
    if (y + this.#height > box.scrollTop + box.clientHeight) box.scrollTop = y + this.#height - box.clientHeight;
  }
}

function clamp({ row, col }: Cell, { rows, cols }: MatrixData): Cell {
  return {
    row: Math.max(0, Math.min(rows - 1, row)),
    col: Math.max(0, Math.min(cols - 1, col)),
  };
}

/** Of the names, in letters; a Chinese character is as wide as two. */
function widest(names: readonly string[]): number {
  const widthOf = (name: string) => [...name].reduce((sum, c) => sum + (c > '\u2e80' ? 2 : 1), 0);
  return names.reduce((most, name) => Math.max(most, widthOf(name) > 2 ? widthOf(name) : 1), 1);
}

function fit(context: CanvasRenderingContext2D, name: string, room: number): string {
  if (context.measureText(name).width <= room) return name;
  let cut = name;
  while (cut.length > 1 && context.measureText(`${cut}…`).width > room) cut = cut.slice(0, -1);
  return `${cut}…`;
}
