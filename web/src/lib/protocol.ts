// The messages between client and worker, and the errors that cross between them.
//
// Every request carries an id its client has not used before; every message of the worker carries the
// id of the request it belongs to. A request gets any number of `progress` or `growth` messages and
// then exactly one `result` or `error`. `cancel` asks for nothing back: the cancelled request itself
// is answered with an `aborted` error.

import type {
  Candidate,
  Continuation,
  EngineFile,
  ExplainOptions,
  Explanation,
  TranslateOptions,
} from './engine';
import type { ModelInfo } from './models';

/** A translated sentence. Ranges are UTF-16 offsets into the source text and the whole translation. */
export interface Sentence {
  source: { begin: number; end: number };
  target: { begin: number; end: number };
  score: number;
  /** The best few, best first, where more than one was asked for (`nbest`). */
  candidates?: Candidate[];
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
  /** The sentences that are done. */
  text: string;
  sentences: Sentence[];
  /** `text` and what is there of the sentence under way: word by word, and not final with a beam. */
  draft: string;
  /** Sentences in the whole text. */
  total: number;
}

/** What is new since the last message of a translation: the client puts a PartialTranslation together. */
export interface Growth {
  text: string;
  sentences: Sentence[];
  /** Follows the text so far. */
  draft: string;
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

/** Where a model comes from: an entry of an index, or its files themselves. */
export type ModelSource = { base: string; model: ModelInfo } | { files: EngineFile[] };

export type Request =
  | { type: 'load'; id: number; source: ModelSource }
  | {
      type: 'translate';
      id: number;
      text: string;
      options: TranslateOptions;
      /** Whether the translation is to be seen growing. */
      partials: boolean;
      lane: string | null;
    }
  | {
      type: 'explain';
      id: number;
      text: string;
      options: ExplainOptions;
      target: string | null;
      lane: string | null;
    }
  | {
      type: 'continuations';
      id: number;
      text: string;
      prefixes: number[][];
      options: TranslateOptions;
      lane: string | null;
    }
  | { type: 'score'; id: number; texts: string[]; target: number[]; lane: string | null }
  | { type: 'inside'; id: number; method: string; args: unknown[]; lane: string | null }
  | { type: 'cancel'; id: number };

export interface Results {
  load: Loaded;
  translate: Translation;
  explain: Explanation;
  continuations: Continuation[];
  score: Float32Array[];
  /** What the function of inside.ts returned. */
  inside: unknown;
}

export type Response =
  | { type: 'progress'; id: number; loaded: number; total: number }
  | { type: 'growth'; id: number; growth: Growth }
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

/** How the message begins with which the engine (wasm/bindings.cc) says that its memory is used up. */
const kOutOfMemory = 'memory:';

/** A thrown thing as data; what nobody foresaw becomes `fallback`. */
export function toFailure(error: unknown, fallback: 'model' | 'input' | 'crashed'): Failure {
  if (error instanceof TranslucentError) return error.failure;
  if (isAbort(error)) return { kind: 'aborted' };
  const message = error instanceof Error ? error.message : String(error);
  // A trap (unreachable, a stack overflow) leaves the module's memory in no state to be trusted, and
  // memory that once ran out stays as large as it is: both take a fresh engine.
  const trap = typeof WebAssembly !== 'undefined' && error instanceof WebAssembly.RuntimeError;
  if (trap || error instanceof RangeError || message.startsWith(kOutOfMemory)) {
    return { kind: 'crashed', message: `the engine stopped: ${message}` };
  }
  return { kind: fallback, message };
}

export function toError(failure: Failure): Error {
  return failure.kind === 'aborted' ? abortError() : new TranslucentError(failure);
}
