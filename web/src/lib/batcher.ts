// Sentences of whatever texts are being translated, put together into jobs of the engine: a job of
// several sentences takes less time than one after the other.

import type { Candidate, EngineJob, EngineTranslator, TranslateOptions } from './engine';
import { toFailure } from './protocol';

/** One sentence that somebody waits for. */
export interface Ticket {
  /** Best first; null until it is translated. Throws what the engine threw. */
  result(): Candidate[] | null;
  /** What is there so far. */
  draft(): string;
}

interface Entry extends Ticket {
  settled: { candidates: Candidate[] } | { error: unknown } | null;
  /** It was in a job that failed: whichever sentence it was fails by itself next time. */
  alone: boolean;
  readonly key: string;
  readonly text: string;
  readonly options: TranslateOptions;
  readonly family: string;
  /** How many wait for it: who asks for the same sentence gets the same ticket. */
  waiters: number;
  job: Job | null;
}

interface Job {
  engine: EngineJob;
  entries: Entry[];
}

/** Sentences in one job, unless more are asked for together: all of them wait for its end. */
const kMostAtOnce = 32;

/** Jobs at once: so that a short text does not wait for the job of a long one. */
const kMostJobs = 2;

export class Batcher {
  readonly #translator: EngineTranslator;
  readonly #threads: number;
  readonly #now: () => number;
  /** Asked for and not done, in order. */
  readonly #entries = new Map<string, Entry>();
  readonly #jobs: Job[] = [];

  constructor(translator: EngineTranslator, threads: number, now: () => number) {
    this.#translator = translator;
    this.#threads = threads;
    this.#now = now;
  }

  ask(text: string, options: TranslateOptions): Ticket {
    const family = JSON.stringify(options);
    const key = `${family} ${text}`;
    let entry = this.#entries.get(key);
    if (!entry) {
      const made: Entry = {
        settled: null,
        alone: false,
        key,
        text,
        options,
        family,
        waiters: 0,
        job: null,
        draft: () => draftOf(made),
        result: () => resultOf(made),
      };
      entry = made;
      this.#entries.set(key, entry);
    }
    entry.waiters++;
    return entry;
  }

  /** The holder waits no longer. A job nobody waits for ends here. */
  release(ticket: Ticket): void {
    const entry = ticket as Entry;
    if (--entry.waiters > 0) return;
    if (this.#entries.get(entry.key) === entry) this.#entries.delete(entry.key);
    const { job } = entry;
    if (job && job.entries.every((other) => other.waiters === 0)) this.#end(job);
  }

  /**
   * Works about `milliseconds`, at least one decoder step, on a job that one of these sentences leads,
   * or starts one of all of them if there is room. Returns the time it took; null when there was nothing to do for
   * them: the one that has waited longest in a job leads it, so that results come in order.
   */
  advance(tickets: readonly Ticket[], milliseconds: number): number | null {
    const together = tickets as readonly Entry[];
    for (const entry of together) {
      if (entry.settled) continue;
      const began = this.#now();
      if (!entry.job && this.#jobs.length < kMostJobs) this.#start(entry, together);
      const { job } = entry;
      if (job && job.entries.find(({ waiters }) => waiters > 0) === entry) this.#run(job, milliseconds);
      else if (!entry.settled) continue;
      return this.#now() - began;
    }
    return null;
  }

  clear(): void {
    for (const job of [...this.#jobs]) this.#end(job);
    this.#entries.clear();
  }

  /**
   * This sentence with those of `together` that can go with it, and then with what else waits with the same
   * options, the longest waiting first, if there is room.
   */
  #start(entry: Entry, together: readonly Entry[]): void {
    const chosen = new Set([entry]);
    const add = (others: Iterable<Entry>, most: number) => {
      for (const other of others) {
        if (chosen.size >= most) return;
        const free = !other.job && !other.settled && !other.alone;
        if (free && other.family === entry.family) chosen.add(other);
      }
    };
    if (!entry.alone) {
      add(together, Infinity);
      add(this.#entries.values(), kMostAtOnce);
    }
    const entries = [...chosen];
    try {
      const engine = this.#translator.start(
        entries.map(({ text }) => text),
        { ...entry.options, threads: this.#threads },
      );
      const job = { engine, entries };
      for (const other of entries) other.job = job;
      this.#jobs.push(job);
    } catch (error) {
      this.#failed(entries, error);
    }
  }

  #run(job: Job, milliseconds: number): void {
    const { engine, entries } = job;
    try {
      if (!engine.run(milliseconds)) return;
      const results = engine.result();
      for (const [i, entry] of entries.entries()) entry.settled = { candidates: results[i] ?? [] };
    } catch (error) {
      this.#failed(entries, error);
    }
    this.#end(job);
  }

  #failed(entries: Entry[], error: unknown): void {
    const blamed = entries.length === 1 || toFailure(error, 'input').kind === 'crashed';
    for (const entry of entries) {
      if (blamed) entry.settled = { error };
      else entry.alone = true;
    }
  }

  #end(job: Job): void {
    const at = this.#jobs.indexOf(job);
    if (at < 0) return;
    this.#jobs.splice(at, 1);
    for (const entry of job.entries) {
      entry.job = null;
      if (entry.alone && !entry.settled) continue; // waits for a job of its own
      if (this.#entries.get(entry.key) === entry) this.#entries.delete(entry.key);
    }
    try {
      job.engine.delete();
    } catch {
      // After a trap; what it was has been said already.
    }
  }
}

function draftOf({ settled, job, text }: Entry): string {
  if (settled) return 'candidates' in settled ? (settled.candidates[0]?.text ?? '') : '';
  // Within a job no two sentences are the same.
  return job ? job.engine.partial(job.entries.findIndex((other) => other.text === text)) : '';
}

function resultOf({ settled }: Entry): Candidate[] | null {
  if (settled && 'error' in settled) throw settled.error;
  return settled?.candidates ?? null;
}
