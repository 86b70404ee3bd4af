// What the draft's model objects have in common ("Writing Assistance APIs", Supporting infrastructure):
// creation with a monitor, calls that end with a signal or with destroy(), and the errors by name.

import { isAbort, TranslucentError } from './protocol';

export type Availability = 'unavailable' | 'downloadable' | 'downloading' | 'available';

export interface CreateOptions {
  signal?: AbortSignal;
  monitor?: (monitor: CreateMonitor) => void;
}

export interface CallOptions {
  signal?: AbortSignal;
}

/** Says how far the download of a model is: `downloadprogress` with `loaded` from 0 to 1. */
export class CreateMonitor extends EventTarget {
  #handler: ((this: CreateMonitor, event: ProgressEvent) => unknown) | null = null;

  constructor() {
    super();
    this.addEventListener('downloadprogress', (event) => this.#handler?.call(this, event as ProgressEvent));
  }

  get ondownloadprogress(): ((this: CreateMonitor, event: ProgressEvent) => unknown) | null {
    return this.#handler;
  }

  set ondownloadprogress(handler: ((this: CreateMonitor, event: ProgressEvent) => unknown) | null) {
    this.#handler = typeof handler === 'function' ? handler : null;
  }

  get [Symbol.toStringTag](): string {
    return 'CreateMonitor';
  }
}

function progressEvent(loaded: number): Event {
  const init = { loaded, total: 1, lengthComputable: true };
  if (typeof ProgressEvent !== 'undefined') return new ProgressEvent('downloadprogress', init);
  return Object.assign(new Event('downloadprogress'), init); // Node has none
}

/** A callback that takes a model's progress and fires the draft's events: 0 first, 1 last, each once. */
class Progress {
  readonly #monitor: CreateMonitor;
  readonly #signal: AbortSignal | undefined;
  #last = -1;
  #at = 0;

  constructor(monitor: CreateMonitor, signal: AbortSignal | undefined) {
    this.#monitor = monitor;
    this.#signal = signal;
  }

  report(fraction: number): void {
    const loaded = Math.floor(fraction * 65_536) / 65_536;
    if (loaded <= this.#last || this.#signal?.aborted) return;
    const now = performance.now();
    // At most every 50 ms, but for the first and the last.
    if (this.#last >= 0 && loaded < 1 && now - this.#at <= 50) return;
    this.#last = loaded;
    this.#at = now;
    this.#monitor.dispatchEvent(progressEvent(loaded));
  }
}

export interface Creation<T> {
  /** What the draft calls availability: null where it could not be found out. */
  availability: () => Promise<Availability | null>;
  /** Gets the model and initialises it; `report` is told how much of the download is done, 0 to 1. */
  create: (report: (fraction: number) => void, signal: AbortSignal) => Promise<T>;
  /** Gives back what create() brought after nobody wanted it any more. */
  discard: (model: T) => void;
}

/** The draft's "create an AI model object", after the options were validated. */
export async function createModel<T>(
  { signal, monitor }: CreateOptions,
  { availability, create, discard }: Creation<T>,
): Promise<T> {
  signal?.throwIfAborted();
  let report: (fraction: number) => void = () => {};
  if (monitor) {
    const target = new CreateMonitor();
    monitor(target);
    const progress = new Progress(target, signal);
    report = (fraction) => progress.report(fraction);
  }
  const stop = new AbortController();
  const making = (async () => {
    const state = await availability();
    stop.signal.throwIfAborted();
    if (state === null) throw new DOMException('The list of models could not be read.', 'UnknownError');
    if (state === 'unavailable') {
      throw new DOMException('There is no model for these options.', 'NotSupportedError');
    }
    report(0);
    const model = await create((fraction) => report(Math.min(fraction, 0.999)), stop.signal);
    report(1);
    return model;
  })();
  if (!signal) return making;
  return new Promise<T>((resolve, reject) => {
    const abort = () => {
      stop.abort(signal.reason);
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', abort);
    making.then(
      (model) => {
        signal.removeEventListener('abort', abort);
        if (signal.aborted) discard(model);
        else resolve(model);
      },
      (error: unknown) => {
        signal.removeEventListener('abort', abort);
        reject(error as Error);
      },
    );
  });
}

/** The document of an iframe that was taken out of the page may do nothing any more. */
export function requireActive(): void {
  if (typeof document !== 'undefined' && document.defaultView === null) {
    throw new DOMException('The document is not active.', 'InvalidStateError');
  }
}

/** Ends with destroy() or with the signal that create() was given. */
export class Destruction {
  readonly #controller = new AbortController();

  constructor(signal: AbortSignal | undefined, release: () => void) {
    const given = () => this.destroy(signal!.reason);
    this.#controller.signal.addEventListener('abort', () => {
      signal?.removeEventListener('abort', given);
      release();
    });
    signal?.addEventListener('abort', given);
    if (signal?.aborted) given();
  }

  destroy(reason: unknown = new DOMException('The model was destroyed.', 'AbortError')): void {
    this.#controller.abort(reason);
  }

  /**
   * Runs `work` with a signal that aborts with destroy() or with the caller's own; rejects with its
   * reason at that moment, and with the draft's errors otherwise.
   */
  async run<T>(options: CallOptions | undefined, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { signal, release } = this.start(options);
    try {
      return await new Promise<T>((resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error));
        work(signal).then(resolve, (error: unknown) => reject(platformError(error)));
      });
    } finally {
      release();
    }
  }

  /** The signal of one call, and what to do when it is over. Throws where it is aborted already. */
  start(options: CallOptions | undefined): { signal: AbortSignal; release: () => void } {
    requireActive();
    const own = this.#controller.signal;
    const given = signalOf(options);
    own.throwIfAborted();
    given?.throwIfAborted();
    const both = new AbortController();
    const parts = given ? [own, given] : [own];
    const abort = (event: Event) => both.abort((event.target as AbortSignal).reason);
    for (const part of parts) part.addEventListener('abort', abort);
    return {
      signal: both.signal,
      release: () => {
        for (const part of parts) part.removeEventListener('abort', abort);
      },
    };
  }
}

/** An error of the library as the draft names it; `cause` is the library's own. */
export function platformError(error: unknown): Error {
  if (isAbort(error) || !(error instanceof TranslucentError)) return error as Error;
  const name = { download: 'NetworkError', index: 'UnknownError', model: 'OperationError' }[error.kind as string];
  const result = new DOMException(error.message, name ?? 'UnknownError');
  Object.defineProperty(result, 'cause', { value: error, configurable: true });
  return result;
}

// What Web IDL does with arguments before the steps of a method begin.

/** A dictionary: undefined and null are the empty one, anything else has to be an object. */
export function dictionary(value: unknown, what: string): Record<string, unknown> {
  if (value === undefined || value === null) return {};
  if (typeof value !== 'object' && typeof value !== 'function') {
    throw new TypeError(`${what}: the options are not an object`);
  }
  return value as Record<string, unknown>;
}

/** A DOMString. */
export function text(value: unknown): string {
  return `${value as string}`; // throws for a symbol, as it should
}

export function signalOf(options: unknown): AbortSignal | undefined {
  const { signal } = dictionary(options, 'call') as { signal?: unknown };
  if (signal === undefined) return undefined;
  if (!(signal instanceof AbortSignal)) throw new TypeError('signal is not an AbortSignal');
  return signal;
}

export function createOptions(options: unknown): CreateOptions {
  const { monitor } = dictionary(options, 'create') as { monitor?: unknown };
  if (monitor !== undefined && typeof monitor !== 'function') throw new TypeError('monitor is not a function');
  const signal = signalOf(options);
  return {
    ...(monitor !== undefined && { monitor: monitor as (monitor: CreateMonitor) => void }),
    ...(signal && { signal }),
  };
}
