// A click on a word of the translation lists what the model could have written there, each with the
// sentence that would follow; choosing one continues the sentence from there.

import type { Client } from '../../lib/client';
import type { Explanation } from '../../lib/engine';
import { isAbort } from '../../lib/protocol';
import { byId, h } from '../dom';
import { messages } from '../i18n';
import { formatShare, placeOf } from './links';
import type { Place, TranslatorPane } from './pane';
import { wordAt } from './words';

/** Candidates the model is asked for at one place. */
const kCandidates = 8;

/** So many are shown however unlikely; beyond them only what has this probability. */
const kAlways = 4;
const kLeast = 0.001;

const text = messages({
  en: {
    instead: (word: string) => `Instead of “${word}”`,
    asking: 'Asking the model …',
    none: 'The model has no other word for this place.',
    now: 'as it is now',
    own: 'Back to the model’s own sentence',
    failed: (why: string) => `This could not be asked: ${why}`,
    close: 'Close',
    about: 'The share is the model’s probability for this word here, given what stands before it. Choosing one continues the sentence from there.',
  },
  de: {
    instead: (word: string) => `Statt „${word}“`,
    asking: 'Das Modell wird gefragt …',
    none: 'Das Modell hat hier kein anderes Wort.',
    now: 'wie jetzt',
    own: 'Zurück zum eigenen Satz des Modells',
    failed: (why: string) => `Das ließ sich nicht erfragen: ${why}`,
    close: 'Schließen',
    about: 'Die Zahl ist die Wahrscheinlichkeit, die das Modell dem Wort an dieser Stelle gibt, nach dem, was davor steht. Die Wahl setzt den Satz von dort aus fort.',
  },
  zh: {
    instead: (word: string) => `“${word}”的其他译法`,
    asking: '正在询问模型……',
    none: '模型在此处没有别的词可选。',
    now: '当前译法',
    own: '恢复模型原来的译句',
    failed: (why: string) => `无法查询：${why}`,
    close: '关闭',
    about: '百分数是模型在前文之后给这个词的概率。选中一项，句子便从那里重新续写。',
  },
});

export interface Alternative {
  /** What stands at the place asked about. */
  word: string;
  probability: number;
  /** The whole sentence, and where the word begins in it. */
  sentence: string;
  begin: number;
}

/**
 * What the model could write from target token `at` on, most probable word first: its best candidates
 * for that token, each continued to the sentence's end.
 */
export async function alternativesAt(
  client: Client,
  { source, target, at, language, signal }: {
    source: string;
    target: string;
    at: number;
    language: string;
    signal: AbortSignal;
  },
): Promise<Alternative[]> {
  const options = { signal, lane: 'alternatives' };
  const explanation: Explanation = await client.explain(source, { ...options, target, candidates: kCandidates });
  const before = explanation.target.tokens.slice(0, at).map(({ id }) => id);
  const candidates = explanation.steps[at]?.candidates ?? [];
  const prefixes = candidates.filter(({ piece }) => piece !== '</s>').map(({ id }) => [...before, id]);
  if (prefixes.length === 0) return [];
  const found = new Map<string, Alternative>();
  for (const { text: sentence, tokens } of await client.continuations(source, prefixes, options)) {
    const word = wordAt(sentence, tokens, at, language);
    if (!word || found.has(sentence)) continue;
    found.set(sentence, {
      word: sentence.slice(word.begin, word.end),
      probability: word.probability,
      sentence,
      begin: word.begin,
    });
  }
  return [...found.values()]
    .sort((a, b) => b.probability - a.probability)
    .filter(({ sentence, probability }, i) => i < kAlways || probability >= kLeast || sentence === target);
}

export interface AlternativesEvents {
  client: () => Client | null;
  language: () => string;
  /** null: the model's own again. */
  onChoose: (source: string, sentence: string | null, place: Place) => void;
  isChosen: (source: string) => boolean;
}

export class Alternatives {
  readonly #pane: TranslatorPane;
  readonly #events: AlternativesEvents;
  readonly #box = byId('alternatives');
  #running: AbortController | null = null;
  #anchor: HTMLElement | null = null;

  constructor(pane: TranslatorPane, events: AlternativesEvents) {
    this.#pane = pane;
    this.#events = events;
    const output = byId('translation');
    output.addEventListener('click', (event) => {
      if (getSelection()?.isCollapsed === false) return; // a text being selected is not a click on a word
      const place = placeOf(event.target);
      if (place) void this.#open(place);
    });
    output.addEventListener('keydown', (event) => {
      const place = placeOf(event.target);
      if (!place || (event.key !== 'Enter' && event.key !== ' ')) return;
      event.preventDefault();
      void this.#open(place);
    });
    this.#box.addEventListener('toggle', (event) => {
      if ((event as ToggleEvent).newState === 'open') return;
      this.#running?.abort();
      this.#anchor?.classList.remove('asked');
    });
    this.#box.addEventListener('keydown', (event) => {
      const all = [...this.#box.querySelectorAll<HTMLElement>('button')];
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      const to = step && all[all.indexOf(document.activeElement as HTMLElement) + step];
      if (!to) return;
      event.preventDefault();
      to.focus();
    });
    addEventListener('resize', () => this.close());
  }

  close(): void {
    if (this.#box.matches(':popover-open')) this.#box.hidePopover();
  }

  async #open(place: Place): Promise<void> {
    const client = this.#events.client();
    const words = this.#pane.wordsOf(place.sentence);
    const anchor = this.#pane.elementOf(place);
    if (!client || !words || !anchor || !this.#pane.translated) return;
    this.close();
    const { source, target } = this.#pane.sentence(place.sentence);
    const word = words.target[place.word]!;
    const running = new AbortController();
    this.#running = running;
    this.#anchor = anchor;
    anchor.classList.add('asked');
    this.#box.setAttribute('aria-label', text().instead(target.slice(word.begin, word.end)));
    const title = h('p', { class: 'alternatives-title' }, text().instead(target.slice(word.begin, word.end)));
    const close = h('button', { type: 'button', class: 'close', 'aria-label': text().close, onClick: () => this.close() }, '×');
    const status = h('p', { class: 'alternatives-status', role: 'status' }, text().asking);
    const head = h('div', { class: 'alternatives-head' }, title, close);
    this.#box.replaceChildren(head, status);
    this.#box.showPopover();
    this.#place(anchor);
    close.focus();
    try {
      const found = await alternativesAt(client, {
        source,
        target,
        at: word.first,
        language: this.#events.language(),
        signal: running.signal,
      });
      if (running.signal.aborted) return;
      const rows = found.map((alternative) => this.#row(alternative, target, source, place));
      const other = found.some(({ sentence }) => sentence !== target);
      this.#box.replaceChildren(
        head,
        h('ul', { class: 'alternatives-list' }, ...rows),
        h('p', { class: 'alternatives-status' }, other ? text().about : text().none),
      );
      if (this.#events.isChosen(source)) {
        const back = () => this.#choose(source, null, place);
        this.#box.append(h('button', { type: 'button', class: 'text-button', onClick: back }, text().own));
      }
      this.#place(anchor);
      this.#box.querySelector<HTMLElement>('.alternative:not([aria-current])')?.focus();
    } catch (error) {
      if (running.signal.aborted || isAbort(error)) return;
      status.textContent = text().failed((error as Error).message);
    }
  }

  #row({ word, probability, sentence, begin }: Alternative, now: string, source: string, place: Place): HTMLElement {
    const current = sentence === now;
    const bar = h('span', { class: 'share-bar', 'aria-hidden': 'true' }, h('span', {}));
    (bar.firstElementChild as HTMLElement).style.width = `${100 * probability}%`;
    const button = h(
      'button',
      { type: 'button', class: 'alternative', 'aria-current': current ? 'true' : null },
      h('span', { class: 'alternative-word', lang: this.#events.language() }, word),
      bar,
      h('span', { class: 'share' }, formatShare(probability)),
      h(
        'span',
        { class: 'alternative-rest', lang: this.#events.language() },
        sentence.slice(0, begin),
        h('b', {}, sentence.slice(begin, begin + word.length)),
        sentence.slice(begin + word.length),
        current && h('em', {}, ` ${text().now}`),
      ),
    );
    button.addEventListener('click', () => this.#choose(source, sentence, place));
    return h('li', {}, button);
  }

  #choose(source: string, sentence: string | null, place: Place): void {
    this.close();
    this.#events.onChoose(source, sentence, place);
  }

  /** Below the word, or above it where there is more room; a phone gets it at the foot (style.css). */
  #place(anchor: HTMLElement): void {
    const { style, offsetHeight: height, offsetWidth: width } = this.#box;
    const at = anchor.getClientRects()[0]!;
    const { clientWidth, clientHeight } = document.documentElement;
    const below = at.bottom + 8;
    const above = at.top - 8 - height;
    style.left = `${Math.max(12, Math.min(at.left - 16, clientWidth - width - 12))}px`;
    style.top = `${below + height <= clientHeight || above < 8 ? Math.max(8, Math.min(below, clientHeight - height - 8)) : above}px`;
  }
}
