// Pointing at a word, or moving to it by keyboard, lights the words it came from in the other pane. A
// small label tells how sure the model was.

import { byId, h } from '../dom';
import { messages } from '../i18n';
import type { Place, TranslatorPane } from './pane';

const text = messages({
  en: { sure: (share: string) => `${share} sure`, from: 'from', hint: 'click for other words' },
  de: { sure: (share: string) => `${share} sicher`, from: 'aus', hint: 'Klick zeigt andere Wörter' },
  zh: { sure: (share: string) => `把握 ${share}`, from: '来自', hint: '点击查看其他译法' },
});

/** Two digits: "96 %", "1.8 %"; what rounds to nothing or to all of it says so. */
export function formatShare(probability: number): string {
  const share = 100 * probability;
  if (share < 0.1) return '< 0.1 %';
  if (share >= 99.5) return probability === 1 ? '100 %' : '> 99 %';
  return `${share >= 10 ? Math.round(share) : share.toFixed(1)} %`;
}

/** Source words: which sentence, and which of its words. */
interface Lit {
  sentence: number;
  source: readonly number[];
  target: readonly number[];
  anchor: HTMLElement | null;
}

export class Links {
  readonly #pane: TranslatorPane;
  readonly #source = byId<HTMLTextAreaElement>('source');
  readonly #mirror = byId('source-mirror');
  readonly #output = byId('translation');
  readonly #tip = byId('word-tip');
  readonly #boxes = h('div', { class: 'mirror-boxes' });
  readonly #text = document.createTextNode('');
  #lit: HTMLElement[] = [];
  #rects: { place: Place; rect: DOMRect }[] | null = null;

  constructor(pane: TranslatorPane) {
    this.#pane = pane;
    this.#mirror.append(this.#boxes, this.#text);
    this.#output.addEventListener('pointerover', (event) => {
      if (event.pointerType !== 'touch') this.#at(placeOf(event.target));
    });
    this.#output.addEventListener('pointerleave', () => this.clear());
    this.#output.addEventListener('focusin', (event) => this.#at(placeOf(event.target)));
    this.#output.addEventListener('focusout', () => this.clear());
    this.#output.addEventListener('keydown', (event) => this.#move(event));
    this.#output.addEventListener('scroll', () => this.clear());
    this.#source.addEventListener('pointermove', (event) => this.#pointAtSource(event.clientX, event.clientY));
    this.#source.addEventListener('pointerleave', () => this.clear());
    this.#source.addEventListener('input', () => this.clear());
    this.#source.addEventListener('scroll', () => {
      this.#mirror.scrollTop = this.#source.scrollTop;
      this.clear();
    });
    addEventListener('scroll', () => (this.#rects = null), { passive: true });
    new ResizeObserver(() => this.clear()).observe(this.#source);
  }

  clear(): void {
    for (const element of this.#lit) element.classList.remove('lit');
    this.#lit = [];
    this.#boxes.replaceChildren();
    this.#tip.hidden = true;
    this.#rects = null;
  }

  #at(place: Place | null): void {
    const words = place && this.#pane.wordsOf(place.sentence);
    if (!place || !words) return this.clear();
    this.#light({
      sentence: place.sentence,
      source: words.links[place.word] ?? [],
      target: [place.word],
      anchor: this.#pane.elementOf(place),
    });
  }

  #light({ sentence, source, target, anchor }: Lit): void {
    const rects = this.#rects;
    this.clear();
    this.#rects = rects;
    const words = this.#pane.wordsOf(sentence);
    if (!words || !this.#pane.translated) return;
    for (const word of target) {
      const element = this.#pane.elementOf({ sentence, word });
      if (!element) continue;
      element.classList.add('lit');
      this.#lit.push(element);
    }
    const from = this.#pane.sentence(sentence);
    this.#sync();
    const corner = this.#mirror.getBoundingClientRect();
    for (const index of source) {
      const word = words.source[index]!;
      for (const rect of this.#range(from.begin + word.begin, from.begin + word.end).getClientRects()) {
        const box = h('span', { class: 'source-lit' });
        box.style.left = `${rect.left - corner.left}px`;
        box.style.top = `${rect.top - corner.top + this.#mirror.scrollTop}px`;
        box.style.width = `${rect.width}px`;
        box.style.height = `${rect.height}px`;
        this.#boxes.append(box);
      }
    }
    if (!anchor) return;
    const word = words.target[target[0]!]!;
    const origin = source.map((i) => from.source.slice(words.source[i]!.begin, words.source[i]!.end)).join(' … ');
    this.#tip.replaceChildren(
      h('strong', {}, text().sure(formatShare(word.probability))),
      ...(origin === '' ? [] : [h('span', {}, `${text().from} ${origin}`)]),
      h('span', { class: 'tip-hint' }, text().hint),
    );
    this.#tip.hidden = false;
    const at = anchor.getClientRects()[0]!;
    const width = this.#tip.offsetWidth;
    const left = Math.max(8, Math.min(at.left + at.width / 2 - width / 2, document.documentElement.clientWidth - width - 8));
    this.#tip.style.left = `${left}px`;
    this.#tip.style.top = `${at.top - this.#tip.offsetHeight - 8}px`;
  }

  /** The mirror holds the source as the text area breaks its lines, so that places in it can be measured. */
  #sync(): void {
    // A line break at the end has a line of its own only in a text area.
    const value = `${this.#source.value}\u200b`;
    if (this.#text.data !== value) this.#text.data = value;
    this.#mirror.scrollTop = this.#source.scrollTop;
  }

  #range(begin: number, end: number): Range {
    const range = document.createRange();
    range.setStart(this.#text, begin);
    range.setEnd(this.#text, end);
    return range;
  }

  #pointAtSource(x: number, y: number): void {
    if (!this.#pane.translated) return;
    this.#rects ??= this.#measure();
    const found = this.#rects.find(
      ({ rect }) => x >= rect.left && x <= rect.right && y >= rect.top && y <= rect.bottom,
    );
    if (!found) {
      if (this.#lit.length > 0) {
        const rects = this.#rects;
        this.clear();
        this.#rects = rects;
      }
      return;
    }
    const { sentence, word } = found.place;
    const links = this.#pane.wordsOf(sentence)!.links;
    const target = [...links.keys()].filter((i) => links[i]!.includes(word));
    this.#light({ sentence, source: [word], target, anchor: null });
  }

  #measure(): { place: Place; rect: DOMRect }[] {
    this.#sync();
    const rects: { place: Place; rect: DOMRect }[] = [];
    for (let sentence = 0; sentence < this.#pane.sentenceCount; sentence++) {
      const words = this.#pane.wordsOf(sentence);
      if (!words) continue;
      const { begin } = this.#pane.sentence(sentence);
      for (const [word, at] of words.source.entries()) {
        for (const rect of this.#range(begin + at.begin, begin + at.end).getClientRects()) {
          rects.push({ place: { sentence, word }, rect });
        }
      }
    }
    return rects;
  }

  /** One word of the translation is in the tab order; arrows go to the others. */
  #move(event: KeyboardEvent): void {
    const all = [...this.#output.querySelectorAll<HTMLElement>('.w[tabindex]')];
    const at = all.indexOf(document.activeElement as HTMLElement);
    if (at < 0) return;
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const to = event.key === 'Home' ? 0 : event.key === 'End' ? all.length - 1 : step === undefined ? -1 : at + step;
    const word = all[to];
    if (!word) return;
    event.preventDefault();
    all[at]!.tabIndex = -1;
    word.tabIndex = 0;
    word.focus();
  }
}

export function placeOf(target: EventTarget | null): Place | null {
  const word = (target as Element | null)?.closest?.<HTMLElement>('.w[tabindex]');
  return word ? { sentence: Number(word.dataset.sentence), word: Number(word.dataset.word) } : null;
}
