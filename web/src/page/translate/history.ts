// What was translated, kept on the visitor's machine and nowhere else. No DOM here.

import { read, write } from '../storage';

export interface Entry {
  /** Milliseconds since 1970. */
  time: number;
  /** The model's id, as "en-de". */
  model: string;
  source: string;
  translation: string;
}

const kMost = 200;
/** Longer texts would fill the storage; they are files. */
const kLongest = 20_000;

const isList = (value: unknown): value is Entry[] =>
  Array.isArray(value) &&
  value.every(
    (entry) =>
      typeof entry?.time === 'number' &&
      typeof entry.model === 'string' &&
      typeof entry.source === 'string' &&
      typeof entry.translation === 'string',
  );

/** A text grown out of the former within this time takes its place: typing is one entry, not fifty. */
const kGrowing = 10 * 60_000;

/** Newest first. The same text again moves up. */
export function withEntry(entries: readonly Entry[], entry: Entry): Entry[] {
  const [newest] = entries;
  const grown =
    newest !== undefined &&
    newest.model === entry.model &&
    entry.time - newest.time < kGrowing &&
    (entry.source.startsWith(newest.source) || newest.source.startsWith(entry.source));
  const rest = (grown ? entries.slice(1) : entries).filter(
    ({ model, source }) => model !== entry.model || source !== entry.source,
  );
  return [entry, ...rest].slice(0, kMost);
}

export class History {
  #entries = read('history', [], isList);
  /** Counts how often everything was deleted: what was waiting to be added then is not added any more. */
  generation = 0;
  #on = read('history.on', true, (value): value is boolean => typeof value === 'boolean');

  get entries(): readonly Entry[] {
    return this.#entries;
  }

  get on(): boolean {
    return this.#on;
  }

  set on(on: boolean) {
    this.#on = on;
    write('history.on', on);
  }

  add(entry: Entry): void {
    if (!this.#on || entry.source.length > kLongest) return;
    this.#keep(withEntry(this.#entries, entry));
  }

  remove(entry: Entry): void {
    this.#keep(this.#entries.filter((other) => other !== entry));
  }

  clear(): void {
    this.generation++;
    this.#keep([]);
  }

  #keep(entries: Entry[]): void {
    this.#entries = entries;
    write('history', entries.length > 0 ? entries : null);
  }
}
