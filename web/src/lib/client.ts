// The page's side of the protocol: promises and AbortSignals over one worker.

import type {
  Continuation,
  EngineFile,
  ExplainOptions,
  Explanation,
  TranslateOptions,
} from './engine';
import type { ModelInfo } from './models';
import {
  abortError,
  type Failure,
  type Growth,
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
  onGrowth?: ((growth: Growth) => void) | undefined;
}

/** Omit over each member of the union, so that its tag still tells the members apart. */
type Unnumbered<T> = T extends unknown ? Omit<T, 'id'> : never;

export class Client {
  /** Called after the worker died, before the calls in flight are rejected. */
  onCrash: (() => void) | null = null;
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
    return this.#call<'load'>({ type: 'load', source: { base, model } }, signal, { onProgress });
  }

  /** The same with a model that is already here. */
  loadFiles(files: EngineFile[], { signal }: { signal?: AbortSignal } = {}): Promise<Loaded> {
    return this.#call<'load'>({ type: 'load', source: { files } }, signal);
  }

  /** Translates a text of any length. `onPartial` sees the translation grow, word by word. */
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
      { type: 'translate', text, options, partials: onPartial !== undefined, lane: lane ?? null },
      signal,
      { onGrowth: onPartial && growing(onPartial) },
    );
  }

  /** Shows how one sentence is translated; with `target`, how that translation would come about. */
  explain(
    text: string,
    { signal, lane, target, ...options }: CallOptions & ExplainOptions & { target?: string } = {},
  ): Promise<Explanation> {
    return this.#call<'explain'>(
      { type: 'explain', text, options, target: target ?? null, lane: lane ?? null },
      signal,
    );
  }

  /** For each beginning, given as ids of the target vocabulary, the best completion. */
  continuations(
    text: string,
    prefixes: number[][],
    { signal, lane, ...options }: CallOptions & TranslateOptions = {},
  ): Promise<Continuation[]> {
    return this.#call<'continuations'>(
      { type: 'continuations', text, prefixes, options, lane: lane ?? null },
      signal,
    );
  }

  /** For each source text how probable every token of one fixed target is, given those before it. */
  score(texts: string[], target: number[], { signal, lane }: CallOptions = {}): Promise<Float32Array[]> {
    return this.#call<'score'>({ type: 'score', texts, target, lane: lane ?? null }, signal);
  }

  /** Calls one of the functions of inside.ts. What is passed and returned has to be cloneable. */
  inside<T>(method: string, ...args: unknown[]): Promise<T> {
    return this.insideWith<T>({}, method, ...args);
  }

  /** The same, so that it can be cancelled or belong to a lane. */
  insideWith<T>({ signal, lane }: CallOptions, method: string, ...args: unknown[]): Promise<T> {
    return this.#call<'inside'>({ type: 'inside', method, args, lane: lane ?? null }, signal) as Promise<T>;
  }

  /** Ends the worker; calls in flight are aborted and later ones rejected. */
  destroy(): void {
    this.#destroyed = true;
    this.#end({ kind: 'aborted' });
  }

  async #call<K extends keyof Results>(
    request: Unnumbered<Exclude<Request, { type: 'cancel' }>>,
    signal: AbortSignal | undefined,
    listeners: Pick<Pending, 'onProgress' | 'onGrowth'> = {},
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
      case 'growth':
        pending.onGrowth?.(response.growth);
        return;
      case 'result':
        this.#pending.delete(response.id);
        pending.settle(response.value);
        return;
      case 'error':
        if (response.failure.kind !== 'crashed') {
          this.#pending.delete(response.id);
          pending.reject(toError(response.failure));
          return;
        }
        // After a trap nothing in that worker can be trusted: the next load() gets a fresh one.
        this.#end(response.failure);
        return;
    }
  }

  #end(failure: Failure): void {
    this.#port?.terminate();
    this.#port = null;
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    if (failure.kind === 'crashed') this.onCrash?.();
    for (const { reject } of pending) reject(toError(failure));
  }
}

/** Puts together what the messages bring. */
function growing(onPartial: (partial: PartialTranslation) => void): (growth: Growth) => void {
  let text = '';
  let sentences: PartialTranslation['sentences'] = [];
  return (growth) => {
    text += growth.text;
    if (growth.sentences.length > 0) sentences = [...sentences, ...growth.sentences];
    onPartial({ text, sentences, draft: text + growth.draft, total: growth.total });
  };
}

function startWorker(): Port {
  const options: WorkerOptions = { type: 'module', name: 'translucent' };
  try {
    // Written out here, in the form that bundlers recognise.
    return new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'translucent' });
  } catch (error) {
    if (!(error instanceof DOMException) || error.name !== 'SecurityError') throw error;
    // The library comes from another origin, whose scripts a worker may import but not be. Takes a policy
    // that allows the origin for scripts and blob: for workers.
    const script = `import ${JSON.stringify(import.meta.url.replace(/[^/]*$/, 'worker.js'))};`;
    // In a sandboxed iframe, where everything is another origin, Chromium starts no module from a blob.
    if (globalThis.origin === 'null') return new Worker(`data:text/javascript,${encodeURIComponent(script)}`, options);
    const url = URL.createObjectURL(new Blob([script], { type: 'text/javascript' }));
    const worker = new Worker(url, options);
    // It has been fetched by the time it answers.
    worker.addEventListener('message', () => URL.revokeObjectURL(url), { once: true });
    return worker;
  }
}
