// The worker's work queue. The engine computes on the worker's only thread, so a job is cut into steps
// and the queue lets the worker read its messages between them: that is when a cancel can arrive.

/**
 * Work in steps: each next() does one; the value returned at the end is the job's result. A step that
 * yields true did nothing, since it waits for another job.
 */
export type Steps<T> = Iterator<boolean | void, T, void>;

export interface Job<T> {
  id: number;
  /** Jobs of one lane replace each other: only the newest survives. null: never replaced. */
  lane: string | null;
  start: () => Steps<T>;
  done: (value: T) => void;
  failed: (error: unknown) => void;
  dropped: () => void;
}

interface Entry {
  job: Job<unknown>;
  steps: Steps<unknown> | null;
}

export class Queue {
  readonly #entries: Entry[] = [];
  readonly #pause: () => Promise<void>;
  #running = false;

  /** `pause` resolves after the messages that have already arrived were handled. */
  constructor(pause: () => Promise<void>) {
    this.#pause = pause;
  }

  get length(): number {
    return this.#entries.length;
  }

  add<T>(job: Job<T>): void {
    if (job.lane !== null) {
      for (const entry of this.#entries.filter((other) => other.job.lane === job.lane)) {
        this.#drop(entry);
      }
    }
    this.#entries.push({ job: job as Job<unknown>, steps: null });
    if (!this.#running) void this.#run();
  }

  /** Drops the job if it is still there. A step under way is finished and its result thrown away. */
  cancel(id: number): void {
    const entry = this.#entries.find((other) => other.job.id === id);
    if (entry) this.#drop(entry);
  }

  clear(): void {
    for (const entry of [...this.#entries]) this.#drop(entry);
  }

  #drop(entry: Entry): void {
    this.#remove(entry);
    entry.steps?.return?.();
    entry.job.dropped();
  }

  #remove(entry: Entry): void {
    const at = this.#entries.indexOf(entry);
    if (at >= 0) this.#entries.splice(at, 1);
  }

  /** One step of each job in turn, so that a short request is not stuck behind a long document. */
  async #run(): Promise<void> {
    this.#running = true;
    for (let idle = 0; ; ) {
      // Messages need not be looked at where nothing was done since, but for once in a round.
      if (idle === 0 || idle >= this.#entries.length) {
        await this.#pause();
        idle = 0;
      }
      const entry = this.#entries.shift();
      if (!entry) break;
      // Back in the list while it works: a cancel that arrives must find it.
      this.#entries.push(entry);
      try {
        entry.steps ??= entry.job.start();
        const step = entry.steps.next();
        idle = !step.done && step.value === true ? idle + 1 : 0;
        if (step.done) {
          this.#remove(entry);
          entry.job.done(step.value);
        }
      } catch (error) {
        idle = 0;
        this.#remove(entry);
        entry.job.failed(error);
      }
    }
    this.#running = false;
  }
}

/** A pause for a worker: a message to itself queues behind those already there, without a timer's delay. */
export function messagePause(): () => Promise<void> {
  const channel = new MessageChannel();
  const waiting: (() => void)[] = [];
  channel.port1.onmessage = () => waiting.shift()?.();
  return () =>
    new Promise((resolve) => {
      waiting.push(resolve);
      channel.port2.postMessage(null);
    });
}
