// From which language into which: the two lists over the panes and the button between them.

import type { ModelInfo } from '../lib/models';
import { byId } from './dom';
import { languageName } from './format';

/** The running example's direction, where nothing else was asked for. */
const kFirst = 'zh-en';

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

/** The model a page's address asks for ("#en-de"), or the first to be shown. */
export function modelAt(models: readonly ModelInfo[], hash: string): ModelInfo {
  return (
    models.find(({ id }) => hash === `#${id}` || hash === `#${encodeURIComponent(id)}`) ??
    models.find(({ id }) => id === kFirst) ??
    models[0]!
  );
}

export interface DirectionEvents {
  /** Another model is wanted; `swapped`: the one that translates back. */
  onChange: (model: ModelInfo, swapped: boolean) => void;
}

export class Direction {
  readonly #from = byId<HTMLSelectElement>('from');
  readonly #to = byId<HTMLSelectElement>('to');
  readonly #swap = byId<HTMLButtonElement>('swap');
  readonly #events: DirectionEvents;
  #models: readonly ModelInfo[] = [];
  #model: ModelInfo | null = null;

  constructor(events: DirectionEvents) {
    this.#events = events;
    byId('direction').addEventListener('submit', (event) => event.preventDefault());
    this.#from.addEventListener('change', () => this.#choose(this.#from.value, this.#to.value));
    this.#to.addEventListener('change', () => this.#choose(this.#from.value, this.#to.value));
    this.#swap.addEventListener('click', () => {
      const back = this.#back();
      if (back) this.#set(back, true);
    });
    addEventListener('hashchange', () => {
      if (this.#models.length > 0) this.#set(modelAt(this.#models, location.hash), false);
    });
  }

  /** Fills the lists; returns the model to begin with. */
  start(models: readonly ModelInfo[]): ModelInfo {
    this.#models = models;
    this.#model = modelAt(models, location.hash);
    this.#show(this.#model);
    return this.#model;
  }

  #choose(source: string, target: string): void {
    const model = modelFor(this.#models, source, target);
    if (model) this.#set(model, false);
  }

  #set(model: ModelInfo, swapped: boolean): void {
    if (model === this.#model) return;
    this.#model = model;
    this.#show(model);
    // The address names the direction, so that it can be kept and passed on.
    history.replaceState(null, '', `#${encodeURIComponent(model.id)}`);
    this.#events.onChange(model, swapped);
  }

  #back(): ModelInfo | undefined {
    return this.#models.find(
      ({ source, target }) => source === this.#model?.target && target === this.#model.source,
    );
  }

  #show({ source, target }: ModelInfo): void {
    fill(this.#from, sourcesOf(this.#models), source);
    fill(this.#to, targetsOf(this.#models, source), target);
    this.#swap.disabled = this.#back() === undefined;
  }
}

function fill(list: HTMLSelectElement, languages: readonly string[], chosen: string): void {
  list.replaceChildren(
    ...languages.map((tag) => new Option(languageName(tag), tag, tag === chosen, tag === chosen)),
  );
  list.disabled = languages.length < 2;
}
