// The two panes: translates while the visitor types and keeps what is on the screen steady.

import type { Client } from '../lib/client';
import type { PartialTranslation, Sentence, Translation } from '../lib/protocol';
import { isAbort } from '../lib/protocol';
import { byId } from './dom';
import { formatMilliseconds } from './format';

/** Long enough to skip the letters of a word, short enough to feel live. */
const kDebounce = 150;

export interface Translated {
  source: string;
  translation: Translation;
}

export interface PaneEvents {
  /** A complete translation is on the screen; null when the source is empty. */
  onTranslated: (translated: Translated | null) => void;
  onCaret: () => void;
  onFailure: (error: Error) => void;
}

export class TranslatorPane {
  readonly #section = byId('translator');
  readonly #source = byId<HTMLTextAreaElement>('source');
  readonly #output = byId('translation');
  readonly #took = byId('took');
  readonly #events: PaneEvents;
  #client: Client | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running: AbortController | null = null;
  /** The source whose translation is shown (then it is answered) or under way. */
  #asked: string | null = null;
  #answered = false;
  readonly #parts: Part[] = [];

  constructor(events: PaneEvents) {
    this.#events = events;
    // While an input method is composing the text holds its Latin letters, not yet what is meant.
    this.#source.addEventListener('input', (event) => {
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
    this.#changed(0);
  }

  /** What stands in the other pane. */
  get translation(): string {
    return this.#output.textContent ?? '';
  }

  /** From now on there is a model that answers. */
  start(client: Client): void {
    this.#client = client;
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
    this.#show('', []);
    this.#took.textContent = '';
    this.#events.onTranslated(null);
  }

  /** Marks the sentence the attention below belongs to, where there are several. */
  mark(index: number): void {
    for (const [i, part] of this.#parts.entries()) {
      part.sentence.classList.toggle('marked', this.#parts.length > 1 && i === index);
    }
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
      this.#show('', []);
      this.#took.textContent = '';
      if (this.#client) this.#state('done');
      this.#events.onTranslated(null);
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
    this.#running = running;
    this.#asked = source;
    this.#answered = false;
    const began = performance.now();
    try {
      const translation = await client.translate(source, {
        signal: running.signal,
        lane: 'typing',
        onPartial: (partial) => {
          if (!running.signal.aborted) this.#grow(partial);
        },
      });
      if (running.signal.aborted) return;
      this.#show(translation.text, translation.sentences);
      const milliseconds = performance.now() - began;
      this.#took.textContent = `Translated in ${formatMilliseconds(milliseconds)}`;
      this.#section.dataset.milliseconds = milliseconds.toFixed(1);
      this.#answered = true;
      // The source may have gone on meanwhile; then this is a step on the way, and another follows.
      if (this.#source.value !== source) return;
      this.#state('done');
      this.#events.onTranslated({ source, translation });
    } catch (error) {
      if (running.signal.aborted || isAbort(error)) return;
      this.#asked = null;
      if (this.#source.value === source) this.#state('done');
      this.#events.onFailure(error as Error);
    }
  }

  #grow({ text, sentences, total }: PartialTranslation): void {
    this.#put(text, sentences);
    this.#took.textContent = `${sentences.length} of ${total} sentences`;
  }

  #show(text: string, sentences: readonly Sentence[]): void {
    this.#put(text, sentences);
    for (const part of this.#parts.splice(sentences.length)) part.box.remove();
  }

  /**
   * One element a sentence, what stands before it included; only those that changed are touched, and
   * what has not been translated again yet stays where it is.
   */
  #put(text: string, sentences: readonly Sentence[]): void {
    let from = 0;
    for (const [i, { target }] of sentences.entries()) {
      let part = this.#parts[i];
      if (!part) {
        part = new Part();
        this.#parts.push(part);
        this.#output.append(part.box);
      }
      const last = i + 1 === sentences.length;
      part.set(
        text.slice(from, target.begin),
        text.slice(target.begin, target.end),
        last ? text.slice(target.end) : '',
      );
      from = target.end;
    }
  }
}

class Part {
  readonly box = document.createElement('span');
  readonly sentence = document.createElement('span');
  readonly #before = document.createTextNode('');
  readonly #sentenceText = document.createTextNode('');
  readonly #after = document.createTextNode('');

  constructor() {
    this.sentence.append(this.#sentenceText);
    this.box.append(this.#before, this.sentence, this.#after);
  }

  set(before: string, sentence: string, after: string): void {
    update(this.#before, before);
    update(this.#sentenceText, sentence);
    update(this.#after, after);
  }
}

/** Leaves alone what is right already: an equal value set anew would still be announced. */
function update(node: Text, value: string): void {
  if (node.data !== value) node.data = value;
}
