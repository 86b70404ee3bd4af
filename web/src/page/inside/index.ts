// Step inside: the walk through the model with the visitor's sentence, and the panels below it.

import type { Client } from '../../lib/client';
import type { Loaded } from '../../lib/protocol';
import { onLanguage } from '../i18n';
import type { Translated } from '../translate/pane';
import { make } from './build';
import './inside.css';
import { PairPanel } from './pair';
import { RacePanel } from './race';
import { SimilarityPanel } from './similarity';
import { text } from './texts';
import { Walk } from './walk';

export interface InsideEvents {
  onFailure: (error: Error) => void;
}

export class InsidePanel {
  readonly #title = make('h2');
  readonly #about = make('p', 'about');
  readonly #explained = make('p', 'inside-explained inside-text');
  readonly #walk: Walk;
  readonly #pair = new PairPanel();
  readonly #similarity = new SimilarityPanel();
  readonly #race = new RacePanel();
  #translated: Translated | null = null;
  #wanted: { text: string; target: string } | null = null;
  #near = false;

  constructor(root: HTMLElement, { onFailure }: InsideEvents) {
    this.#walk = new Walk({
      onFailure,
      onTrace: (trace, options) => {
        this.#similarity.follow(trace.source.text, options.encoderLayer, options.encoderHead);
        this.#race.follow(trace.source.tokens.length, trace.dModel, trace.encoderHeads);
      },
    });
    this.#title.id = 'inside-title';
    root.setAttribute('aria-labelledby', this.#title.id);
    root.removeAttribute('aria-label');
    root.removeAttribute('data-label');
    root.replaceChildren(
      make('div', 'inside-head', this.#title, this.#about),
      this.#explained,
      this.#walk.element,
      this.#pair.element,
      this.#similarity.element,
      this.#race.element,
    );
    // Far from the screen nothing is computed: typing has the engine for itself.
    new IntersectionObserver(
      (entries) => {
        this.#near = entries.at(-1)!.isIntersecting;
        if (this.#near) this.#show();
      },
      { rootMargin: '400px' },
    ).observe(this.#walk.element);
    onLanguage(() => this.#draw());
    this.#draw();
  }

  start(client: Client, { threads }: Loaded, language: string): void {
    const engine = {
      call: <T>(lane: string, method: string, ...args: unknown[]) => client.insideWith<T>({ lane }, method, ...args),
    };
    this.#walk.start(engine);
    this.#pair.start(engine, language);
    this.#similarity.start(engine);
    this.#race.start(engine, threads);
  }

  stop(): void {
    this.#walk.stop();
    this.#pair.stop();
    this.#similarity.stop();
    this.#race.stop();
    this.#wanted = null;
  }

  /** A new translation: walks with the sentence the caret is in. */
  follow(translated: Translated | null, caret: number): void {
    this.#translated = translated;
    this.#choose(caret);
  }

  /** The caret moved; while the text is changing, offsets wait for its translation. */
  moveTo(source: string, caret: number): void {
    if (source === this.#translated?.source) this.#choose(caret);
  }

  #choose(caret: number): void {
    const sentences = this.#translated?.translation.sentences ?? [];
    const sentence = sentences.findLast(({ source }) => source.begin <= caret) ?? sentences[0];
    const slice = (from: string, { begin, end }: { begin: number; end: number }) => from.slice(begin, end);
    const translated = this.#translated;
    const wanted =
      sentence && translated
        ? { text: slice(translated.source, sentence.source), target: slice(translated.translation.text, sentence.target) }
        : null;
    if (wanted && this.#wanted && wanted.text === this.#wanted.text && wanted.target === this.#wanted.target) return;
    this.#wanted = wanted;
    if (this.#near || !wanted) this.#show();
  }

  #show(): void {
    const wanted = this.#wanted;
    this.#explained.hidden = !wanted;
    if (wanted) this.#explained.replaceChildren(wanted.text, make('span', 'inside-arrow', '→'), wanted.target);
    this.#walk.follow(wanted);
  }

  #draw(): void {
    this.#title.textContent = text().title;
    this.#about.textContent = text().about;
    this.#walk.redraw();
    this.#pair.redraw();
    this.#similarity.redraw();
    this.#race.redraw();
  }
}
