// From which language into which: the two lists over the panes and the button between them.

import { type ModelInfo, totalBytes } from '../lib/models';
import { byId } from './dom';
import { formatBytes, languageName } from './format';
import { messages, onLanguage } from './i18n';
import { idIn } from './translate/share';

/** The running example's direction, where nothing else was asked for. */
const kFirst = 'zh-en';

/** The entry of the first list that leaves the choice to the text. */
const kDetect = 'auto';

const text = messages({
  en: { detect: 'Detect the language', detected: (name: string) => `${name}, detected` },
  de: { detect: 'Sprache erkennen', detected: (name: string) => `${name}, erkannt` },
  zh: { detect: '自动检测', detected: (name: string) => `检测到${name}` },
});

/** Languages that some model reads, each once. */
export function sourcesOf(models: readonly ModelInfo[]): string[] {
  return [...new Set(models.map((model) => model.source))];
}

/** Languages that can be had from `source`. */
export function targetsOf(models: readonly ModelInfo[], source: string): string[] {
  return [...new Set(models.filter((model) => model.source === source).map((model) => model.target))];
}

/** The model from `source`, into `target` if there is one. */
export function modelFor(models: readonly ModelInfo[], source: string, target: string): ModelInfo | undefined {
  const readers = models.filter((model) => model.source === source);
  return readers.find((model) => model.target === target) ?? readers[0];
}

/** The model a page's address asks for ("#en-de", a text may follow), or the first to be shown. */
export function modelAt(models: readonly ModelInfo[], hash: string): ModelInfo {
  return models.find(({ id }) => id === idIn(hash)) ?? models.find(({ id }) => id === kFirst) ?? models[0]!;
}

export interface DirectionEvents {
  /** Another model is wanted; `swapped`: the one that translates back. */
  onChange: (model: ModelInfo, swapped: boolean) => void;
  /** The text is to tell its language from now on. */
  onDetect: () => void;
}

export class Direction {
  readonly #from = byId<HTMLSelectElement>('from');
  readonly #to = byId<HTMLSelectElement>('to');
  readonly #swap = byId<HTMLButtonElement>('swap');
  readonly #events: DirectionEvents;
  #models: readonly ModelInfo[] = [];
  #model: ModelInfo | null = null;
  #detecting = false;

  constructor(events: DirectionEvents) {
    this.#events = events;
    byId('direction').addEventListener('submit', (event) => event.preventDefault());
    this.#from.addEventListener('change', () => {
      this.#detecting = this.#from.value === kDetect;
      if (this.#detecting) {
        this.#show();
        this.#events.onDetect();
      } else {
        this.#choose(this.#from.value, this.#to.value);
        this.#show();
      }
    });
    this.#to.addEventListener('change', () => this.#choose(this.#model!.source, this.#to.value));
    this.#swap.addEventListener('click', () => {
      const back = this.#back();
      if (!back) return;
      this.#detecting = false;
      this.#set(back, true);
    });
    onLanguage(() => this.#show());
  }

  /** Fills the lists; returns the model to begin with. */
  start(models: readonly ModelInfo[]): ModelInfo {
    this.#models = models;
    this.#model = modelAt(models, location.hash);
    this.#show();
    return this.#model;
  }

  get model(): ModelInfo | null {
    return this.#model;
  }

  get models(): readonly ModelInfo[] {
    return this.#models;
  }

  /** The text is to tell its language. */
  get detecting(): boolean {
    return this.#detecting;
  }

  /** A language was found in the text; false where no model reads it. */
  detected(source: string): boolean {
    const target = this.#model?.target === source ? this.#model.source : (this.#model?.target ?? '');
    const model = modelFor(this.#models, source, target);
    if (!model) return false;
    this.#set(model, false);
    return true;
  }

  /** Another model than the one chosen, as an address or the history wants it. */
  go(model: ModelInfo): void {
    this.#detecting = false;
    this.#set(model, false);
  }

  #choose(source: string, target: string): void {
    const model = modelFor(this.#models, source, target);
    if (model) this.#set(model, false);
  }

  #set(model: ModelInfo, swapped: boolean): void {
    if (model === this.#model) return;
    this.#model = model;
    this.#show();
    // The address names the direction, so that it can be kept and passed on.
    history.replaceState(null, '', `#${encodeURIComponent(model.id)}`);
    this.#events.onChange(model, swapped);
  }

  #back(): ModelInfo | undefined {
    return this.#models.find(
      ({ source, target }) => source === this.#model?.target && target === this.#model.source,
    );
  }

  #show(): void {
    if (!this.#model) return;
    const { source, target } = this.#model;
    const detect = this.#detecting ? text().detected(languageName(source)) : text().detect;
    const chosen = this.#detecting ? kDetect : source;
    fill(this.#from, [[kDetect, detect], ...sourcesOf(this.#models).map((tag) => [tag, languageName(tag)] as const)], chosen);
    // What choosing a language costs stands beside it: every direction is a model of its own.
    const targets = targetsOf(this.#models, source).map((tag) => {
      const size = formatBytes(totalBytes(modelFor(this.#models, source, tag)!));
      return [tag, `${languageName(tag)} · ${size}`] as const;
    });
    fill(this.#to, targets, target);
    this.#swap.disabled = this.#back() === undefined;
  }
}

function fill(list: HTMLSelectElement, entries: readonly (readonly [string, string])[], chosen: string): void {
  list.replaceChildren(...entries.map(([tag, name]) => new Option(name, tag, tag === chosen, tag === chosen)));
  list.disabled = entries.length < 2;
}
