// The messages between client and worker, and the errors that cross between them.
//
// Every request carries an id its client has not used before; every message of the worker carries the
// id of the request it belongs to. A request gets any number of `progress` or `sentence` messages and
// then exactly one `result` or `error`. `cancel` asks for nothing back: the cancelled request itself
// is answered with an `aborted` error.

import type { Explanation, TranslateOptions } from './engine';
import type { ModelInfo } from './models';

/** A translated sentence. Ranges are UTF-16 offsets into the source text and the whole translation. */
export interface Sentence {
  source: { begin: number; end: number };
  target: { begin: number; end: number };
  score: number;
}

export interface Translation {
  text: string;
  sentences: Sentence[];
  /** Time the engine worked on it. */
  milliseconds: number;
  /** How many of the sentences were remembered from an earlier request instead of computed. */
  remembered: number;
}

/** What a translation is known to begin with while the rest is still being worked on. */
export interface PartialTranslation {
  text: string;
  sentences: Sentence[];
  /** Sentences in the whole text. */
  total: number;
}

/** What a loaded model answers with. */
export interface Loaded {
  /** From the last byte to a translator that answers. */
  milliseconds: number;
  /** The build that runs, its kernels, and the threads that translate. */
  variant: string;
  instructionSet: string;
  threads: number;
}

export type Request =
  | { type: 'load'; id: number; base: string; model: ModelInfo }
  | { type: 'translate'; id: number; text: string; options: TranslateOptions; lane: string | null }
  | {
      type: 'explain';
      id: number;
      text: string;
      options: TranslateOptions;
      target: string | null;
      lane: string | null;
    }
  | { type: 'cancel'; id: number };

export interface Results {
  load: Loaded;
  translate: Translation;
  explain: Explanation;
}

export type Response =
  | { type: 'progress'; id: number; loaded: number; total: number }
  | { type: 'sentence'; id: number; partial: PartialTranslation }
  | { type: 'result'; id: number; value: Results[keyof Results] }
  | { type: 'error'; id: number; failure: Failure };

/**
 * Everything that can go wrong, as data: survives the trip between worker and page.
 *
 * aborted   the caller cancelled, or a newer request in the same lane took its place
 * index     the list of models is missing or not what it should be
 * download  a model file could not be fetched, or is not the file the index promises
 * model     the engine refused the files
 * input     the engine refused this text or these options
 * state     called before load() or after destroy()
 * crashed   the engine or its worker died; load() starts a fresh one
 */
export type Failure =
  | { kind: 'aborted' }
  | { kind: 'index'; url: string; message: string }
  | { kind: 'download'; file: string; url: string; message: string }
  | { kind: 'model'; message: string }
  | { kind: 'input'; message: string }
  | { kind: 'state'; message: string }
  | { kind: 'crashed'; message: string };

export class TranslucentError extends Error {
  override readonly name = 'TranslucentError';
  constructor(readonly failure: Exclude<Failure, { kind: 'aborted' }>) {
    super(failure.message);
  }
  get kind(): Failure['kind'] {
    return this.failure.kind;
  }
}

/** The platform's own error for a cancelled call. */
export function abortError(): DOMException {
  return new DOMException('The operation was cancelled.', 'AbortError');
}

export function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}

/** A thrown thing as data; what nobody foresaw becomes `fallback`. */
export function toFailure(error: unknown, fallback: 'model' | 'input' | 'crashed'): Failure {
  if (error instanceof TranslucentError) return error.failure;
  if (isAbort(error)) return { kind: 'aborted' };
  const message = error instanceof Error ? error.message : String(error);
  // A trap (out of memory, unreachable) leaves the module's memory in no state to be trusted.
  if (typeof WebAssembly !== 'undefined' && error instanceof WebAssembly.RuntimeError) {
    return { kind: 'crashed', message: `the engine stopped: ${message}` };
  }
  return { kind: fallback, message };
}

export function toError(failure: Failure): Error {
  return failure.kind === 'aborted' ? abortError() : new TranslucentError(failure);
}
