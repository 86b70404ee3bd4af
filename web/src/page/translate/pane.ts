// The two panes: translates while the visitor types and keeps what is on the screen steady. Afterwards
// every word of the translation knows how sure the model was and where it came from.

import type { Client } from '../../lib/client';
import type { PartialTranslation, Sentence, Translation } from '../../lib/protocol';
import { isAbort } from '../../lib/protocol';
import { byId, h } from '../dom';
import { messages } from '../i18n';
import { isWordLike, type Word, type Words, wordsOf } from './words';

/** Long enough to skip the letters of a word, short enough to feel live. */
const kDebounce = 150;

/** Words the model gave less than this are marked. The legend says so. */
export const kDoubt = 0.35;

/** Explained sentences kept, so that coming back to one costs nothing. */
const kRemembered = 256;

const text = messages({
  en: { progress: (done: number, total: number) => `${done} of ${total} sentences` },
  de: { progress: (done: number, total: number) => `${done} von ${total} Sätzen` },
  zh: { progress: (done: number, total: number) => `第 ${done} 句，共 ${total} 句` },
});

export interface Translated {
  source: string;
  translation: Translation;
}

export interface PaneEvents {
  /** A complete translation is on the screen; null when the source is empty. */
  onTranslated: (translated: Translated | null, milliseconds: number) => void;
  /** So many of the sentences are done. */
  onProgress: (text: string) => void;
  onPartial: (source: string, partial: PartialTranslation) => void;
  onInput: () => void;
  onCaret: () => void;
  onFailure: (error: Error) => void;
  /** Changes a sentence's translation to what the visitor chose or fixed; the same text where nothing applies. */
  refine: (client: Client, source: string, target: string, signal: AbortSignal) => Promise<string>;
}

/** A word of the translation: which sentence, and which of its words. */
export interface Place {
  sentence: number;
  word: number;
}

export class TranslatorPane {
  readonly #section = byId('translator');
  readonly #source = byId<HTMLTextAreaElement>('source');
  readonly #output = byId('translation');
  readonly #announcer = byId('translation-announcer');
  readonly #events: PaneEvents;
  #client: Client | null = null;
  #languages = { source: 'en', target: 'en' };
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running: AbortController | null = null;
  /** The source whose translation is shown (then it is answered) or under way. */
  #asked: string | null = null;
  #answered = false;
  #translated: Translated | null = null;
  readonly #parts: Part[] = [];
  /** The word to be focused when it is there. */
  #focus: Place | null = null;
  readonly #explained = new Map<string, Words>();

  constructor(events: PaneEvents) {
    this.#events = events;
    // While an input method is composing the text holds its Latin letters, not yet what is meant.
    this.#source.addEventListener('input', (event) => {
      events.onInput();
      if (!(event as InputEvent).isComposing) this.#changed(kDebounce);
    });
    this.#source.addEventListener('compositionend', () => this.#changed(kDebounce));
    document.addEventListener('selectionchange', () => {
      if (document.activeElement === this.#source) events.onCaret();
    });
  }

  get caret(): number {
    return this.#source.selectionStart;
  }

  get text(): string {
    return this.#source.value;
  }

  set text(text: string) {
    this.#source.value = text;
    this.#events.onInput();
    this.#changed(0);
  }

  /** What stands in the other pane. */
  get translation(): string {
    return this.#answered && this.#translated ? this.#translated.translation.text : (this.#output.textContent ?? '');
  }

  /** The translation on the screen, where it is one of the text on the screen. */
  get translated(): Translated | null {
    return this.#answered && this.#translated?.source === this.#source.value ? this.#translated : null;
  }

  /** From now on there is a model that answers. */
  start(client: Client, languages: { source: string; target: string }): void {
    this.#client = client;
    this.#languages = languages;
    this.#explained.clear();
    this.#asked = null;
    this.#changed(0);
  }

  /** No model: keeps what is shown, translates nothing. */
  stop(): void {
    this.#client = null;
    this.#running?.abort();
    this.#state('loading');
  }

  /** Takes the translation off the screen: it belongs to another direction. */
  clear(): void {
    this.#asked = null;
    this.#translated = null;
    this.#show('', []);
    this.#events.onTranslated(null, 0);
  }

  /** Translates what is there once more: what the visitor fixed has changed. Then `focus` gets the focus. */
  again(focus: Place | null = null): void {
    this.#focus = focus;
    this.#asked = null;
    this.#changed(0);
  }

  /** Marks the sentence the attention below belongs to, where there are several. */
  mark(index: number): void {
    for (const [i, part] of this.#parts.entries()) {
      part.sentence.classList.toggle('marked', this.#parts.length > 1 && i === index);
    }
  }

  /** The words of a sentence of the translation; null before they are explained. */
  wordsOf(sentence: number): Words | null {
    return this.#parts[sentence]?.words ?? null;
  }

  elementOf({ sentence, word }: Place): HTMLElement | null {
    return this.#parts[sentence]?.elements[word] ?? null;
  }

  get sentenceCount(): number {
    return this.#translated?.translation.sentences.length ?? 0;
  }

  /** Source and translation of a sentence, and where the source begins. */
  sentence(index: number): { source: string; target: string; begin: number } {
    const { source, translation } = this.#translated!;
    const { source: from, target: to } = translation.sentences[index]!;
    return {
      source: source.slice(from.begin, from.end),
      target: translation.text.slice(to.begin, to.end),
      begin: from.begin,
    };
  }

  #state(state: 'loading' | 'translating' | 'done'): void {
    this.#section.dataset.state = state;
    this.#output.setAttribute('aria-busy', String(state === 'translating'));
  }

  #changed(delay: number): void {
    clearTimeout(this.#timer);
    const text = this.#source.value;
    if (text.trim() === '') {
      this.#running?.abort();
      this.#asked = null;
      this.#translated = null;
      this.#show('', []);
      if (this.#client) this.#state('done');
      this.#events.onTranslated(null, 0);
      return;
    }
    if (!this.#client) return;
    if (text === this.#asked) {
      // Changed and changed back: what was asked for is what is wanted.
      this.#state(this.#answered ? 'done' : 'translating');
      return;
    }
    this.#state('translating');
    this.#timer = setTimeout(() => void this.#translate(text), delay);
  }

  async #translate(source: string): Promise<void> {
    const client = this.#client;
    if (!client) return;
    this.#running?.abort();
    const running = new AbortController();
    const { signal } = running;
    this.#running = running;
    this.#asked = source;
    this.#answered = false;
    const began = performance.now();
    try {
      const plain = await client.translate(source, {
        signal,
        lane: 'typing',
        onPartial: (partial) => {
          if (signal.aborted) return;
          this.#grow(partial);
          this.#events.onPartial(source, partial);
        },
      });
      if (signal.aborted) return;
      const targets: string[] = [];
      for (const { source: from, target: to } of plain.sentences) {
        const target = plain.text.slice(to.begin, to.end);
        targets.push(await this.#events.refine(client, source.slice(from.begin, from.end), target, signal));
        if (signal.aborted) return;
      }
      const translation = withTargets(plain, targets);
      this.#show(translation.text, translation.sentences);
      this.#answered = true;
      this.#translated = { source, translation };
      // The source may have gone on meanwhile; then this is a step on the way, and another follows.
      if (this.#source.value !== source) return;
      this.#state('done');
      this.#announcer.textContent = translation.text;
      this.#section.dataset.milliseconds = (performance.now() - began).toFixed(1);
      this.#events.onTranslated(this.#translated, performance.now() - began);
      await this.#explain(client, signal);
    } catch (error) {
      if (signal.aborted || isAbort(error)) return;
      this.#asked = null;
      if (this.#source.value === source) this.#state('done');
      this.#events.onFailure(error as Error);
    }
  }

  /** Sentence by sentence, while nothing newer is asked for. */
  async #explain(client: Client, signal: AbortSignal): Promise<void> {
    const { source: from, target: to } = this.#languages;
    for (let i = 0; i < this.sentenceCount; i++) {
      const { source, target } = this.sentence(i);
      const part = this.#parts[i]!;
      if (part.words) continue;
      const key = JSON.stringify([source, target]);
      let words = this.#explained.get(key);
      if (!words) {
        const explanation = await client.explain(source, { target, signal, lane: 'words' });
        if (signal.aborted) return;
        words = wordsOf(explanation, from, to);
        if (this.#explained.size >= kRemembered) this.#explained.delete(this.#explained.keys().next().value!);
        this.#explained.set(key, words);
        // Otherwise its offsets would not be this text's.
        if (explanation.target.text !== target || explanation.source.text !== source) continue;
      }
      part.explain(words);
      if (this.#focus?.sentence === i) {
        const word = part.elements[this.#focus.word] ?? part.elements.at(-1);
        this.#focus = null;
        if (word?.hasAttribute('tabindex')) word.tabIndex = 0;
        word?.focus({ preventScroll: true });
      }
      if (!this.#output.querySelector('[tabindex="0"]')) {
        const first = this.#output.querySelector<HTMLElement>('.w[tabindex]');
        if (first) first.tabIndex = 0;
      }
    }
    this.#section.dataset.words = 'done';
    byId('legend-doubt').hidden = this.#output.querySelector('.doubt') === null;
  }

  #grow({ text: done, sentences, draft, total }: PartialTranslation): void {
    this.#put(done, sentences);
    if (draft.length > done.length) {
      const part = this.#part(sentences.length);
      const begin = done.length + (/^\s*/u.exec(draft.slice(done.length))?.[0].length ?? 0);
      part.draft(draft.slice(done.length, begin), draft.slice(begin));
    }
    if (total > 1) this.#events.onProgress(text().progress(sentences.length, total));
  }

  #show(text: string, sentences: readonly Sentence[]): void {
    delete this.#section.dataset.words;
    this.#put(text, sentences);
    for (const part of this.#parts.splice(sentences.length)) part.box.remove();
  }

  #part(index: number): Part {
    let part = this.#parts[index];
    if (!part) {
      part = new Part(index);
      this.#parts.push(part);
      this.#output.append(part.box);
    }
    return part;
  }

  /**
   * One element a sentence, what stands before it included; only those that changed are touched, and
   * what has not been translated again yet stays where it is.
   */
  #put(text: string, sentences: readonly Sentence[]): void {
    let from = 0;
    for (const [i, { target }] of sentences.entries()) {
      const last = i + 1 === sentences.length;
      this.#part(i).set(
        text.slice(from, target.begin),
        text.slice(target.begin, target.end),
        last ? text.slice(target.end) : '',
      );
      from = target.end;
    }
  }
}

/** The same translation with other texts for its sentences; what stands between them stays. */
export function withTargets(translation: Translation, targets: readonly string[]): Translation {
  let out = '';
  let from = 0;
  const sentences = translation.sentences.map((sentence, i) => {
    out += translation.text.slice(from, sentence.target.begin);
    const begin = out.length;
    out += targets[i]!;
    from = sentence.target.end;
    return { ...sentence, target: { begin, end: out.length } };
  });
  return { ...translation, text: out + translation.text.slice(from), sentences };
}

class Part {
  readonly box = h('span');
  readonly sentence = h('span', { class: 'sentence' });
  readonly #index: number;
  readonly #before = document.createTextNode('');
  readonly #after = document.createTextNode('');
  #text = '';
  #drafted = false;
  words: Words | null = null;
  elements: HTMLElement[] = [];

  constructor(index: number) {
    this.#index = index;
    this.box.append(this.#before, this.sentence, this.#after);
  }

  /** A finished sentence; left alone where it is right already. */
  set(before: string, sentence: string, after: string): void {
    update(this.#before, before);
    if (sentence !== this.#text || this.#drafted) {
      // Its words fall back to plain text until they are explained; nothing moves.
      this.#text = sentence;
      this.#drafted = false;
      this.words = null;
      this.elements = [];
      this.sentence.replaceChildren(sentence);
    }
    update(this.#after, after);
  }

  /** The beginning of a sentence under way, over what stood here before: it is overwritten, not wiped. */
  draft(before: string, draft: string): void {
    update(this.#before, before);
    if (!this.#drafted && this.#text.startsWith(draft)) return;
    const rest = beyond(this.#text, draft.length);
    this.#drafted = true;
    this.words = null;
    this.elements = [];
    this.sentence.replaceChildren(draft, ...(rest === '' ? [] : [h('span', { class: 'stale' }, rest)]));
  }

  explain(words: Words): void {
    this.words = words;
    this.elements = words.target.map((word, i) => this.#element(word, i));
    const nodes: (Node | string)[] = [];
    let at = 0;
    for (const [i, { begin, end }] of words.target.entries()) {
      if (begin > at) nodes.push(this.#text.slice(at, begin));
      nodes.push(this.elements[i]!);
      at = end;
    }
    if (at < this.#text.length) nodes.push(this.#text.slice(at));
    this.sentence.replaceChildren(...nodes);
  }

  #element({ begin, end, probability }: Word, index: number): HTMLElement {
    const word = this.#text.slice(begin, end);
    const element = h('span', { class: 'w', 'data-sentence': this.#index, 'data-word': index }, word);
    if (!isWordLike(word)) return element;
    element.setAttribute('role', 'button');
    element.setAttribute('aria-haspopup', 'dialog');
    element.tabIndex = -1;
    if (probability < kDoubt) element.classList.add('doubt');
    return element;
  }
}

/** What is left of an older text behind `length`, from the next word on where it has words. */
function beyond(old: string, length: number): string {
  const space = old.indexOf(' ', length);
  return space >= 0 && space - length < 24 ? old.slice(space) : old.slice(length);
}

/** Leaves alone what is right already. */
function update(node: Text, value: string): void {
  if (node.data !== value) node.data = value;
}
