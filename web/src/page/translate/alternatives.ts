// A click on a word of the translation lists what the model could have written there, each with the
// sentence that would follow; choosing one continues the sentence from there. The same box has the best
// whole sentences of a beam search.

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

/** Whole sentences: so many of a search that keeps so many. */
const kSentences = 6;
const kBeam = 8;

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
    word: 'This word',
    whole: 'The whole sentence',
    noSentence: 'A wider search finds no other sentence.',
    aboutWhole: `The best of a beam search that keeps ${kBeam} sentences at a time. The share is the mean probability of a sentence’s pieces; what differs from the sentence now is set in bold.`,
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
    word: 'Dieses Wort',
    whole: 'Der ganze Satz',
    noSentence: 'Auch eine breitere Suche findet keinen anderen Satz.',
    aboutWhole: `Die besten einer Strahlsuche, die ${kBeam} Sätze zugleich verfolgt. Die Zahl ist die mittlere Wahrscheinlichkeit der Wortstücke; was vom jetzigen Satz abweicht, ist fett.`,
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
    word: '这个词',
    whole: '整个句子',
    noSentence: '更宽的搜索也没有找到别的译句。',
    aboutWhole: `同时保留 ${kBeam} 个候选的束搜索所得的最佳译句。百分数是各子词概率的平均；与当前译句不同之处以粗体显示。`,
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

/** The best whole sentences, likeliest first, whatever stands at any one place. */
export async function sentencesOf(
  client: Client,
  { source, target, signal }: { source: string; target: string; signal: AbortSignal },
): Promise<Alternative[]> {
  const { sentences } = await client.translate(source, {
    beamSize: kBeam,
    nbest: kSentences,
    lengthPenalty: 1, // so that the score is the mean log-probability of a piece
    signal,
    lane: 'alternatives',
  });
  return (sentences[0]?.candidates ?? []).map(({ text: sentence, score }) => ({
    ...differing(sentence, target),
    probability: Math.exp(score),
    sentence,
  }));
}

/** The part of a sentence that another one has not, in whole words. */
function differing(sentence: string, other: string): { word: string; begin: number } {
  const shared = Math.min(sentence.length, other.length);
  let begin = 0;
  while (begin < shared && sentence[begin] === other[begin]) begin++;
  let rest = 0;
  while (rest < shared - begin && sentence.at(-1 - rest) === other.at(-1 - rest)) rest++;
  let end = sentence.length - rest;
  const inWord = (at: number) => /\p{Script=Latin}{2}/u.test(sentence.slice(at - 1, at + 1));
  while (begin > 0 && begin < sentence.length && inWord(begin)) begin--;
  while (end > begin && end < sentence.length && inWord(end)) end++;
  return { word: sentence.slice(begin, end), begin };
}

export interface AlternativesEvents {
  client: () => Client | null;
  language: () => string;
  /** null: the model's own again. */
  onChoose: (source: string, sentence: string | null, place: Place) => void;
  isChosen: (source: string) => boolean;
}

/** A word asked about, and the box while it is open for it. */
interface Asked {
  client: Client;
  place: Place;
  anchor: HTMLElement;
  source: string;
  target: string;
  /** The word's first token. */
  at: number;
  running: AbortController;
  body: HTMLElement;
  kinds: HTMLElement[];
  kind?: 'word' | 'whole';
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
      if ((event as ToggleEvent).newState === 'closed') this.#leave();
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

  #leave(): void {
    this.#running?.abort();
    this.#anchor?.classList.remove('asked');
  }

  async #open(place: Place): Promise<void> {
    const client = this.#events.client();
    const words = this.#pane.wordsOf(place.sentence);
    const anchor = this.#pane.elementOf(place);
    if (!client || !words || !anchor || !this.#pane.translated) return;
    this.close();
    // Closed and opened again at once, the box does not tell of it.
    this.#leave();
    const { source, target } = this.#pane.sentence(place.sentence);
    const word = words.target[place.word]!;
    const running = new AbortController();
    this.#running = running;
    this.#anchor = anchor;
    anchor.classList.add('asked');
    const written = target.slice(word.begin, word.end);
    this.#box.setAttribute('aria-label', text().instead(written));
    const title = h('p', { class: 'alternatives-title' }, text().instead(written));
    const close = h('button', { type: 'button', class: 'close', 'aria-label': text().close, onClick: () => this.close() }, '×');
    const kinds = (['word', 'whole'] as const).map((kind) =>
      h('button', { type: 'button', class: 'alternatives-kind', 'data-kind': kind, onClick: () => void this.#list(kind, asked) }, text()[kind]),
    );
    const asked: Asked = { client, place, anchor, source, target, at: word.first, running, body: h('div', { class: 'alternatives-body' }), kinds };
    this.#box.replaceChildren(
      h('div', { class: 'alternatives-head' }, title, close),
      h('div', { class: 'alternatives-kinds' }, ...kinds),
      asked.body,
    );
    if (this.#events.isChosen(source)) {
      const back = () => this.#choose(source, null, place);
      this.#box.append(h('button', { type: 'button', class: 'text-button', onClick: back }, text().own));
    }
    this.#box.showPopover();
    close.focus();
    await this.#list('word', asked);
  }

  /** Fills the box: with what could stand in the word's place, or with whole sentences. */
  async #list(kind: 'word' | 'whole', asked: Asked): Promise<void> {
    const { client, place, anchor, source, target, at, body, kinds } = asked;
    const first = asked.kind === undefined;
    asked.kind = kind;
    for (const button of kinds) button.setAttribute('aria-pressed', String(button.dataset.kind === kind));
    const status = h('p', { class: 'alternatives-status', role: 'status' }, text().asking);
    body.replaceChildren(status);
    this.#place(anchor);
    const { signal } = asked.running;
    try {
      const found =
        kind === 'word'
          ? await alternativesAt(client, { source, target, at, language: this.#events.language(), signal })
          : await sentencesOf(client, { source, target, signal });
      if (signal.aborted || asked.kind !== kind) return;
      const rows = found.map((alternative) => this.#row(alternative, kind, target, source, place));
      const other = found.some(({ sentence }) => sentence !== target);
      const about = kind === 'word' ? [text().about, text().none] : [text().aboutWhole, text().noSentence];
      body.replaceChildren(h('ul', { class: 'alternatives-list' }, ...rows), h('p', { class: 'alternatives-status' }, about[other ? 0 : 1]!));
      this.#place(anchor);
      // Asked for by its button, the list leaves the focus there.
      if (first) body.querySelector<HTMLElement>('.alternative:not([aria-current])')?.focus();
    } catch (error) {
      if (signal.aborted || isAbort(error)) return;
      status.textContent = text().failed((error as Error).message);
    }
  }

  #row({ word, probability, sentence, begin }: Alternative, kind: 'word' | 'whole', now: string, source: string, place: Place): HTMLElement {
    const current = sentence === now;
    const bar = h('span', { class: 'share-bar', 'aria-hidden': 'true' }, h('span', {}));
    (bar.firstElementChild as HTMLElement).style.width = `${100 * probability}%`;
    const button = h(
      'button',
      { type: 'button', class: `alternative alternative-${kind}`, 'aria-current': current ? 'true' : null },
      kind === 'word' && h('span', { class: 'alternative-word', lang: this.#events.language() }, word),
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
