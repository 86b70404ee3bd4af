// The page's side of the protocol: promises and AbortSignals over one worker.

import type { Explanation, TranslateOptions } from './engine';
import type { ModelInfo } from './models';
import {
  abortError,
  type Failure,
  type Loaded,
  type PartialTranslation,
  type Request,
  type Response,
  type Results,
  toError,
  type Translation,
  TranslucentError,
} from './protocol';

/** The part of Worker the client uses. */
export interface Port {
  postMessage(message: Request): void;
  onmessage: ((event: MessageEvent<Response>) => void) | null;
  onerror: ((event: ErrorEvent) => void) | null;
  terminate(): void;
}

export interface CallOptions {
  signal?: AbortSignal;
  /** A newer call in the same lane cancels the older ones. Without it calls do not touch each other. */
  lane?: string;
}

export interface LoadOptions {
  /** The models folder, absolute, ending with a slash. */
  base: string;
  signal?: AbortSignal;
  onProgress?: (loaded: number, total: number) => void;
}

interface Pending {
  settle: (value: Results[keyof Results]) => void;
  reject: (error: Error) => void;
  onProgress?: ((loaded: number, total: number) => void) | undefined;
  onPartial?: ((partial: PartialTranslation) => void) | undefined;
}

/** Omit over each member of the union, so that its tag still tells the members apart. */
type Unnumbered<T> = T extends unknown ? Omit<T, 'id'> : never;

export class Client {
  readonly #connect: () => Port;
  readonly #pending = new Map<number, Pending>();
  #port: Port | null = null;
  #destroyed = false;
  #ids = 0;

  constructor(connect: () => Port = startWorker) {
    this.#connect = connect;
  }

  /** Fetches a model and makes it the one that answers. Calls still waiting for the former are aborted. */
  load(model: ModelInfo, { base, signal, onProgress }: LoadOptions): Promise<Loaded> {
    return this.#call<'load'>({ type: 'load', base, model }, signal, { onProgress });
  }

  /** Translates a text of any length. `onPartial` sees the translation grow, sentence by sentence. */
  translate(
    text: string,
    {
      signal,
      lane,
      onPartial,
      ...options
    }: CallOptions & TranslateOptions & { onPartial?: (partial: PartialTranslation) => void } = {},
  ): Promise<Translation> {
    return this.#call<'translate'>(
      { type: 'translate', text, options, lane: lane ?? null },
      signal,
      { onPartial },
    );
  }

  /** Shows how one sentence is translated; with `target`, how that translation would come about. */
  explain(
    text: string,
    { signal, lane, target, ...options }: CallOptions & TranslateOptions & { target?: string } = {},
  ): Promise<Explanation> {
    return this.#call<'explain'>(
      { type: 'explain', text, options, target: target ?? null, lane: lane ?? null },
      signal,
    );
  }

  /** Ends the worker; calls in flight are aborted and later ones rejected. */
  destroy(): void {
    this.#destroyed = true;
    this.#end({ kind: 'aborted' });
  }

  async #call<K extends keyof Results>(
    request: Unnumbered<Exclude<Request, { type: 'cancel' }>>,
    signal: AbortSignal | undefined,
    listeners: Pick<Pending, 'onProgress' | 'onPartial'> = {},
  ): Promise<Results[K]> {
    if (this.#destroyed) {
      throw new TranslucentError({ kind: 'state', message: 'the translator was destroyed' });
    }
    signal?.throwIfAborted();
    const id = ++this.#ids;
    const port = this.#open();
    let abort: (() => void) | undefined;
    try {
      return await new Promise<Results[K]>((resolve, reject) => {
        abort = () => {
          // The worker may be in the middle of a step; the caller need not wait for its answer.
          this.#pending.delete(id);
          port.postMessage({ type: 'cancel', id });
          reject((signal?.reason as Error | undefined) ?? abortError());
        };
        signal?.addEventListener('abort', abort);
        this.#pending.set(id, {
          ...listeners,
          settle: resolve as (value: Results[keyof Results]) => void,
          reject,
        });
        port.postMessage({ ...request, id } as Request);
      });
    } finally {
      if (abort) signal?.removeEventListener('abort', abort);
    }
  }

  #open(): Port {
    if (this.#port) return this.#port;
    const port = this.#connect();
    this.#port = port;
    port.onmessage = (event) => this.#receive(event.data);
    port.onerror = (event) => {
      const message = event.message || 'its script could not be loaded';
      this.#end({ kind: 'crashed', message: `the worker stopped: ${message}` });
    };
    return port;
  }

  #receive(response: Response): void {
    const pending = this.#pending.get(response.id);
    if (!pending) return; // aborted meanwhile
    switch (response.type) {
      case 'progress':
        pending.onProgress?.(response.loaded, response.total);
        return;
      case 'sentence':
        pending.onPartial?.(response.partial);
        return;
      case 'result':
        this.#pending.delete(response.id);
        pending.settle(response.value);
        return;
      case 'error':
        this.#pending.delete(response.id);
        pending.reject(toError(response.failure));
        // After a trap nothing in that worker can be trusted: the next load() gets a fresh one.
        if (response.failure.kind === 'crashed') this.#end(response.failure);
        return;
    }
  }

  #end(failure: Failure): void {
    this.#port?.terminate();
    this.#port = null;
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject } of pending) reject(toError(failure));
  }
}

function startWorker(): Port {
  return new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'translucent' });
}
