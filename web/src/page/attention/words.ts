// "Words linked": words as buttons, links on two canvases. One holds them all and is drawn once; the
// other only those of the word pointed at, so that pointing costs a few curves, however long the sentence.

import { formatWeight } from '../format';
import { messages } from '../i18n';
import { onTheme, theme } from '../theme';
import { colourOf } from './colour';
import { element } from './element';
import { nameOf } from './format';
import { kFaintest, layLines, type Lines, type Link, linkAt, linksOf, strokeOf, type Word } from './lines';
import { paint, widthsOf } from './scene';
import type { View } from './view';

const text = messages({
  en: {
    looksAt: 'looks at',
    lookedAtBy: 'is looked at by',
    nothing: 'nothing above the threshold',
  },
  de: {
    looksAt: 'blickt auf',
    lookedAtBy: 'wird angeblickt von',
    nothing: 'nichts über der Schwelle',
  },
  zh: {
    looksAt: '关注',
    lookedAtBy: '被关注于',
    nothing: '没有高于阈值的权重',
  },
});

export interface Shown {
  /** Links below it are not drawn. */
  least: number;
  /** Rows whose first token is not written yet are left out; the last that is shows its links. */
  step: number | null;
}

export interface LinkedEvents {
  /** What the word pointed at or focused is linked with, strongest first; null when there is none. */
  onWord: (sentence: string | null, keyboard: boolean) => void;
}

/** Canvases beyond this many pixels on a side are not drawn by every browser. */
const kLargestCanvas = 16_000;
/** Numbers that stand beside words at once. */
const kNumbersShown = 12;

export class LinkedWords {
  readonly element = element('div', { class: 'linked', role: 'group' });
  readonly #plane = element('div', { class: 'linked-plane' });
  readonly #all = element('canvas', { class: 'links', 'aria-hidden': 'true' });
  readonly #lit = element('canvas', { class: 'links links-lit', 'aria-hidden': 'true' });
  readonly #events: LinkedEvents;
  #buttons: HTMLButtonElement[] = [];
  #numbers: HTMLElement[] = [];
  #marked: number[] = [];
  #view: View | null = null;
  #lines: Lines | null = null;
  #shown: Shown = { least: 0, step: null };
  /** Indices of words: pointed at, focused by keyboard, clicked. */
  #pointed = -1;
  #focused = -1;
  #pinned = -1;
  #tab = 0;

  constructor(events: LinkedEvents) {
    this.#events = events;
    this.#plane.append(this.#all, this.#lit);
    this.element.append(this.#plane);
    this.element.hidden = true;
    const wordOf = (event: Event) => {
      const button = (event.target as Element).closest<HTMLElement>('.word');
      return button ? Number(button.dataset.index) : -1;
    };
    this.#plane.addEventListener('pointerover', (event) => {
      if (event.pointerType !== 'touch') this.#point(wordOf(event));
    });
    this.#plane.addEventListener('pointerleave', () => this.#point(-1));
    this.#plane.addEventListener('click', (event) => {
      const word = wordOf(event);
      this.#pin(word === this.#pinned ? -1 : word);
    });
    this.#plane.addEventListener('focusin', (event) => {
      const word = wordOf(event);
      if (word < 0 || !(event.target as Element).matches(':focus-visible')) return;
      this.#focused = word;
      this.#light(true);
    });
    this.#plane.addEventListener('focusout', () => {
      this.#focused = -1;
      this.#light(false);
    });
    this.#plane.addEventListener('keydown', (event) => this.#key(event));
    onTheme(() => this.#draw());
    new ResizeObserver(() => this.#arrange()).observe(this.element);
  }

  get lines(): Lines | null {
    return this.#lines;
  }

  /** `name` says which attention this is, for those who do not see it. */
  show(view: View, name: string, shown: Shown): void {
    const before = this.#view;
    const same =
      before !== null &&
      before.choice.stack === view.choice.stack &&
      sameTexts(before.rows, view.rows) &&
      sameTexts(before.columns, view.columns);
    this.#view = view;
    this.#shown = shown;
    this.element.hidden = false;
    this.element.setAttribute('aria-label', name);
    if (!same) {
      this.#pointed = this.#focused = this.#pinned = -1;
      this.#lines = null;
    }
    this.#arrange();
    if (same) this.#draw();
    if (shown.step !== null) this.#reveal(this.#current());
  }

  /** Scrolls the box, not the page, until the word is seen. */
  #reveal(index: number): void {
    const word = this.#lines?.words[index];
    if (!word) return;
    const box = this.element;
    if (word.x < box.scrollLeft || word.x + word.width > box.scrollLeft + box.clientWidth) {
      box.scrollLeft = word.x + word.width / 2 - box.clientWidth / 2;
    }
  }

  clear(): void {
    this.#view = null;
    this.element.hidden = true;
  }

  #arrange(): void {
    const view = this.#view;
    const available = this.element.clientWidth;
    if (!view || available === 0) return;
    const lines = layLines(view, { available, measure: (texts) => widthsOf(texts, 100, 'serif').map((w) => w / 100) });
    if (this.#lines && this.#lines.width === lines.width && this.#lines.height === lines.height && this.#lines.size === lines.size) return;
    this.#lines = lines;
    this.#plane.style.width = `${lines.width}px`;
    this.#plane.style.height = `${lines.height}px`;
    this.#plane.style.setProperty('--word-size', `${lines.size}px`);
    this.#plane.style.setProperty('--word-height', `${lines.wordHeight}px`);
    for (const button of this.#buttons) button.remove();
    this.#marked = [];
    this.#numbers = [];
    this.#tab = Math.min(this.#tab, lines.words.length - 1);
    this.#buttons = lines.words.map((word, index) => {
      const number = element('span', { class: 'word-number', 'aria-hidden': 'true' });
      const button = element(
        'button',
        {
          type: 'button',
          class: `word word-${word.side}${word.label.special ? ' special' : ''}`,
          'data-index': String(index),
          tabindex: index === this.#tab ? '0' : '-1',
        },
        number,
        element('span', { class: 'word-text' }, nameOf(word.label)),
      );
      button.style.transform = `translate(${word.x}px, ${word.y}px)`;
      button.style.width = `${word.width}px`;
      this.#numbers.push(number);
      return button;
    });
    this.#plane.append(...this.#buttons);
    this.#draw();
  }

  #draw(): void {
    const view = this.#view;
    const lines = this.#lines;
    if (!view || !lines) return;
    const { least, step } = this.#shown;
    const reached = (row: number) => step === null || view.rows[row]!.tokens.begin <= step;
    const context = sized(this.#all, lines);
    if (context) paint(context, linksOf(lines, view, least, reached).map(shapeOf));
    for (const [index, word] of lines.words.entries()) {
      this.#buttons[index]!.classList.toggle('pending', word.row >= 0 && !reached(word.row));
    }
    sized(this.#lit, lines);
    this.#light(false);
  }

  /** The word whose links are shown: pointed at, else focused, clicked, else the step's. */
  #current(): number {
    const chosen = [this.#pointed, this.#focused, this.#pinned].find((word) => word >= 0);
    if (chosen !== undefined || this.#shown.step === null) return chosen ?? -1;
    const row = this.#view!.rows.findLastIndex(({ tokens }) => tokens.begin <= this.#shown.step!);
    return row < 0 ? -1 : this.#lines!.wordOfRow[row]!;
  }

  #point(word: number): void {
    if (word === this.#pointed) return;
    this.#pointed = word;
    this.#light(false);
  }

  #pin(word: number): void {
    this.#buttons[this.#pinned]?.removeAttribute('aria-pressed');
    this.#pinned = word;
    this.#buttons[word]?.setAttribute('aria-pressed', 'true');
    this.#light(false);
  }

  #light(keyboard: boolean): void {
    const view = this.#view;
    const lines = this.#lines;
    if (!view || !lines) return;
    for (const index of this.#marked) {
      this.#buttons[index]!.classList.remove('lit', 'origin');
      this.#numbers[index]!.textContent = '';
    }
    this.#marked = [];
    const current = this.#current();
    this.#plane.classList.toggle('lighting', current >= 0);
    const context = this.#lit.getContext('2d');
    context?.clearRect(0, 0, lines.width, lines.height);
    if (current < 0) {
      this.#events.onWord(null, false);
      return;
    }
    const word = lines.words[current]!;
    const links = this.#linksOf(word);
    if (context) paint(context, [...links].reverse().map(shapeOf));
    this.#buttons[current]!.classList.add('origin');
    this.#marked.push(current);
    for (const link of links.slice(0, kNumbersShown)) {
      if (link.weight < 0.01) break;
      const other = word.row >= 0 ? lines.wordOfColumn[link.column]! : lines.wordOfRow[link.row]!;
      const button = this.#buttons[other]!;
      button.classList.add('lit');
      button.style.setProperty('--heat', colourOf(link.weight, theme()));
      this.#numbers[other]!.textContent = link.weight.toFixed(2).replace(/^0/, '');
      this.#marked.push(other);
    }
    this.#events.onWord(describeWord(view, word, links), keyboard);
  }

  /** Of a word as query, else as key; strongest first. */
  #linksOf(word: Word): Link[] {
    const view = this.#view!;
    const lines = this.#lines!;
    const { least, step } = this.#shown;
    const all =
      word.row >= 0
        ? view.columns.map((_, column) => linkAt(lines, view, word.row, column))
        : view.rows.flatMap(({ tokens }, row) =>
            step === null || tokens.begin <= step ? [linkAt(lines, view, row, word.column)] : [],
          );
    return all.filter(({ weight }) => weight >= Math.max(kFaintest, least)).sort((a, b) => b.weight - a.weight);
  }

  #key(event: KeyboardEvent): void {
    const lines = this.#lines;
    const from = Number((event.target as HTMLElement).dataset.index);
    if (!lines || Number.isNaN(from) || event.altKey || event.metaKey || event.ctrlKey) return;
    const line = lines.words.flatMap(({ y }, index) => (y === lines.words[from]!.y ? [index] : []));
    const to = {
      ArrowLeft: Math.max(line[0]!, from - 1),
      ArrowRight: Math.min(line.at(-1)!, from + 1),
      Home: line[0]!,
      End: line.at(-1)!,
      ArrowDown: lines.words[from]!.y === lines.words.at(-1)!.y ? from : this.#across(from),
      ArrowUp: lines.words[from]!.y === lines.words[0]!.y ? from : this.#across(from),
      Escape: -1,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    if (to < 0) {
      this.#pin(-1);
      return;
    }
    this.#buttons[this.#tab]!.tabIndex = -1;
    this.#tab = to;
    this.#buttons[to]!.tabIndex = 0;
    this.#buttons[to]!.focus();
  }

  /** The word of the other line that this one is linked with most. */
  #across(from: number): number {
    const word = this.#lines!.words[from]!;
    const [strongest] = this.#linksOf(word);
    if (!strongest) return from;
    return word.row >= 0 ? this.#lines!.wordOfColumn[strongest.column]! : this.#lines!.wordOfRow[strongest.row]!;
  }
}

/** "dog looks at 狗 0.83, 猫 0.09": the five strongest. */
function describeWord(view: View, word: Word, links: readonly Link[]): string {
  const list = links
    .slice(0, 5)
    .map(({ row, column, weight }) => `${nameOf(word.row >= 0 ? view.columns[column]! : view.rows[row]!)} ${formatWeight(weight)}`);
  const verb = word.row >= 0 ? text().looksAt : text().lookedAtBy;
  return `${nameOf(word.label)} ${verb} ${list.length > 0 ? list.join(', ') : text().nothing}`;
}

const shapeOf = ({ points, weight }: Link) => ({ kind: 'curve', points, ...strokeOf(weight, theme()) }) as const;

/** A cleared canvas of the lines' size, mapped to CSS pixels. */
function sized(canvas: HTMLCanvasElement, { width, height }: Lines): CanvasRenderingContext2D | null {
  const scale = Math.min(devicePixelRatio || 1, kLargestCanvas / width);
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = canvas.getContext('2d');
  context?.setTransform(scale, 0, 0, scale, 0, 0);
  return context;
}

function sameTexts(a: View['rows'], b: View['rows']): boolean {
  return a.length === b.length && a.every((label, i) => nameOf(label) === nameOf(b[i]!));
}
