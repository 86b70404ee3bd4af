// The worker's side of the protocol, free of worker globals so that tests can drive it.

import type {
  AttentionMaps,
  Engine,
  EngineTranslator,
  Explanation,
  TranslateOptions,
} from './engine';
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

export interface SessionEnvironment {
  post: (message: Response, transfer?: Transferable[]) => void;
  /** Starts (or has started) the WebAssembly module. */
  engine: () => Promise<Engine>;
  pause: () => Promise<void>;
  download?: typeof downloadModel;
  now?: () => number;
}

/** Sentences remembered, so that typing at the end of a text translates only its last sentence. */
const kRemembered = 512;

export class Session {
  readonly #environment: SessionEnvironment;
  readonly #queue: Queue;
  readonly #now: () => number;
  readonly #memory = new Map<string, { text: string; score: number }>();
  #engine: Engine | null = null;
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
        this.#engine = await engine;
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        throw new TranslucentError({ kind: 'crashed', message: `the engine did not start: ${message}` });
      }
      signal.throwIfAborted();
      const translator = new this.#engine.Translator(files);
      this.#unload();
      this.#translator = translator;
      this.#environment.post({
        type: 'result',
        id,
        value: { milliseconds: this.#now() - began },
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

  #loaded(): { engine: Engine; translator: EngineTranslator } {
    if (!this.#engine || !this.#translator) {
      throw new TranslucentError({ kind: 'state', message: 'no model is loaded' });
    }
    return { engine: this.#engine, translator: this.#translator };
  }

  /** One sentence a step; what is known so far is posted as it grows. */
  *#translate(id: number, text: string, options: TranslateOptions): Steps<Translation> {
    const { engine, translator } = this.#loaded();
    const ranges = engine.splitSentences(text);
    const sentences: Sentence[] = [];
    let out = '';
    let read = 0;
    let milliseconds = 0;
    let remembered = 0;
    for (const [index, range] of ranges.entries()) {
      const piece = text.slice(range.begin, range.end);
      const key = JSON.stringify([options, piece]);
      let best = this.#memory.get(key);
      if (best) {
        remembered++;
        this.#memory.delete(key);
      } else {
        const began = this.#now();
        best = translator.translate([piece], options)[0]?.[0] ?? { text: '', score: 0 };
        milliseconds += this.#now() - began;
      }
      this.#remember(key, best);

      const gap = text.slice(read, range.begin);
      out += engine.sentenceSeparator(lastCharacter(out), gap, best.text);
      const begin = out.length;
      out += best.text;
      sentences.push({ source: range, target: { begin, end: out.length }, score: best.score });
      read = range.end;
      if (index + 1 < ranges.length) {
        // Remembered sentences come in a burst: nothing to show before the first computed one.
        if (milliseconds > 0) {
          const partial = { text: out, sentences: [...sentences], total: ranges.length };
          this.#environment.post({ type: 'sentence', id, partial });
        }
        yield;
      }
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
