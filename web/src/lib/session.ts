// The worker's side of the protocol, free of worker globals so that tests can drive it.

import type { AttentionMaps, EngineTranslator, Explanation, TranslateOptions } from './engine';
import { downloadModel, type ModelInfo } from './models';
import {
  type Request,
  type Response,
  type Sentence,
  toFailure,
  type Translation,
  TranslucentError,
} from './protocol';
import { Queue, type Steps } from './queue';
import type { StartedEngine } from './variants';

export interface SessionEnvironment {
  post: (message: Response, transfer?: Transferable[]) => void;
  /** Starts (or has started) the WebAssembly module. */
  engine: () => Promise<StartedEngine>;
  pause: () => Promise<void>;
  download?: typeof downloadModel;
  now?: () => number;
}

/** Sentences remembered, so that typing at the end of a text translates only its last sentence. */
const kRemembered = 512;

/** Sentences in one step: a cancelled text stops after as many. */
const kMostAtOnce = 16;

export class Session {
  readonly #environment: SessionEnvironment;
  readonly #queue: Queue;
  readonly #now: () => number;
  readonly #memory = new Map<string, { text: string; score: number }>();
  #started: StartedEngine | null = null;
  #translator: EngineTranslator | null = null;
  #loading: { id: number; stop: AbortController } | null = null;

  constructor(environment: SessionEnvironment) {
    this.#environment = environment;
    this.#queue = new Queue(environment.pause);
    this.#now = environment.now ?? (() => performance.now());
  }

  handle(request: Request): void {
    const { id } = request;
    switch (request.type) {
      case 'load':
        void this.#load(id, request.base, request.model);
        return;
      case 'translate':
        this.#enqueue(id, request.lane, () =>
          this.#translate(id, wellFormed(request.text), request.options),
        );
        return;
      case 'explain':
        this.#enqueue(
          id,
          request.lane,
          () =>
            this.#explain(
              wellFormed(request.text),
              request.options,
              request.target === null ? undefined : wellFormed(request.target),
            ),
          (value) => buffersOf(value),
        );
        return;
      case 'cancel':
        if (this.#loading?.id === id) this.#loading.stop.abort();
        this.#queue.cancel(id);
        return;
    }
  }

  async #load(id: number, base: string, model: ModelInfo): Promise<void> {
    this.#loading?.stop.abort();
    const loading = { id, stop: new AbortController() };
    this.#loading = loading;
    const { signal } = loading.stop;
    try {
      // Compiling and downloading overlap; a rejection of the first to be awaited must not leave the
      // other unobserved.
      const engine = this.#environment.engine();
      engine.catch(() => {});
      const files = await (this.#environment.download ?? downloadModel)(base, model, {
        signal,
        onProgress: (loaded, total) =>
          this.#environment.post({ type: 'progress', id, loaded, total }),
      });
      const began = this.#now();
      try {
        this.#started = await engine;
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        throw new TranslucentError({ kind: 'crashed', message: `the engine did not start: ${message}` });
      }
      signal.throwIfAborted();
      const { engine: module, variant, threads } = this.#started;
      const translator = new module.Translator(files);
      this.#unload();
      this.#translator = translator;
      this.#environment.post({
        type: 'result',
        id,
        value: {
          milliseconds: this.#now() - began,
          variant,
          instructionSet: module.instructionSet(),
          threads,
        },
      });
    } catch (error) {
      this.#environment.post({ type: 'error', id, failure: toFailure(error, 'model') });
    } finally {
      if (this.#loading === loading) this.#loading = null;
    }
  }

  #unload(): void {
    this.#queue.clear();
    this.#memory.clear();
    this.#translator?.delete();
    this.#translator = null;
  }

  #enqueue<T extends Translation | Explanation>(
    id: number,
    lane: string | null,
    start: () => Steps<T>,
    transfer: (value: T) => Transferable[] = () => [],
  ): void {
    const { post } = this.#environment;
    this.#queue.add<T>({
      id,
      lane,
      start,
      done: (value) => post({ type: 'result', id, value }, transfer(value)),
      failed: (error) => post({ type: 'error', id, failure: toFailure(error, 'input') }),
      dropped: () => post({ type: 'error', id, failure: { kind: 'aborted' } }),
    });
  }

  #loaded(): StartedEngine & { translator: EngineTranslator } {
    if (!this.#started || !this.#translator) {
      throw new TranslucentError({ kind: 'state', message: 'no model is loaded' });
    }
    return { ...this.#started, translator: this.#translator };
  }

  /**
   * Some sentences a step: one or two at first, so that something shows at once, then more, which
   * together take less time. What is known so far is posted as it grows.
   */
  *#translate(id: number, text: string, options: TranslateOptions): Steps<Translation> {
    const { engine, threads, translator } = this.#loaded();
    const ranges = engine.splitSentences(text);
    const pieces = ranges.map((range) => text.slice(range.begin, range.end));
    const keyOf = (piece: string) => JSON.stringify([options, piece]);
    const sentences: Sentence[] = [];
    let out = '';
    let read = 0;
    let milliseconds = 0;
    let remembered = 0;
    let atOnce = 1;
    let done = 0;
    while (done < ranges.length) {
      const end = Math.min(done + atOnce, ranges.length);
      const group = pieces.slice(done, end);
      const missing = [...new Set(group.filter((piece) => !this.#memory.has(keyOf(piece))))];
      remembered += group.length - missing.length;
      const results = new Map<string, { text: string; score: number }>();
      if (missing.length > 0) {
        const began = this.#now();
        const found = translator.translate(missing, { ...options, threads });
        milliseconds += this.#now() - began;
        for (const [i, piece] of missing.entries()) {
          results.set(piece, found[i]?.[0] ?? { text: '', score: 0 });
        }
      }
      for (; done < end; done++) {
        const range = ranges[done]!;
        const piece = pieces[done]!;
        const key = keyOf(piece);
        const best = results.get(piece) ?? this.#memory.get(key)!;
        results.set(piece, best); // should remembering another one push it out
        this.#memory.delete(key);
        this.#remember(key, best);
        out += engine.sentenceSeparator(lastCharacter(out), text.slice(read, range.begin), best.text);
        const begin = out.length;
        out += best.text;
        sentences.push({ source: range, target: { begin, end: out.length }, score: best.score });
        read = range.end;
      }
      if (done < ranges.length) {
        // Remembered sentences come in a burst: nothing to show before the first computed one.
        if (milliseconds > 0) {
          const partial = { text: out, sentences: [...sentences], total: ranges.length };
          this.#environment.post({ type: 'sentence', id, partial });
        }
        yield;
      }
      if (done >= 2) atOnce = Math.min(2 * atOnce, kMostAtOnce);
    }
    out += text.slice(read);
    return { text: out, sentences, milliseconds, remembered };
  }

  #remember(key: string, value: { text: string; score: number }): void {
    this.#memory.set(key, value);
    if (this.#memory.size > kRemembered) {
      const oldest = this.#memory.keys().next();
      if (!oldest.done) this.#memory.delete(oldest.value);
    }
  }

  // A single step, as a generator so that it takes its turn in the queue.
  *#explain(text: string, options: TranslateOptions, target: string | undefined): Steps<Explanation> {
    const { translator } = this.#loaded();
    // All three arguments, always: Embind counts them.
    const explanation = translator.explain(text, options, target);
    for (const stack of ['encoder', 'decoder', 'cross'] as const) {
      explanation[stack] = owned(explanation[stack]);
    }
    return explanation;
  }
}

/** Half a surrogate pair has no UTF-8; U+FFFD takes its place, one code unit for one. */
function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\ufffd');
}

/** At most two code units: enough for one character, whole. */
function lastCharacter(text: string): string {
  return Array.from(text.slice(-2)).at(-1) ?? '';
}

/** A view into WebAssembly memory cannot be sent to the page: copied out, unless it already was. */
function owned(maps: AttentionMaps): AttentionMaps {
  const { weights } = maps;
  return weights.buffer.byteLength === weights.byteLength ? maps : { ...maps, weights: weights.slice() };
}

function buffersOf({ encoder, decoder, cross }: Explanation): Transferable[] {
  return [encoder, decoder, cross].map((maps) => maps.weights.buffer as ArrayBuffer);
}
