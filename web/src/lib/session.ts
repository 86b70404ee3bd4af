// The worker's side of the protocol, free of worker globals so that tests can drive it.

import { Batcher, type Ticket } from './batcher';
import type { Candidate, EngineFile, EngineTranslator } from './engine';
import { kInside } from './inside';
import { downloadModel } from './models';
import {
  type ModelSource,
  type Request,
  type Response,
  type Results,
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

/** Sentences of one text that are worked on together: where its growth is watched, and where it is not. */
const kMostWatched = 32;
const kMostUnwatched = 128;

/**
 * Milliseconds of work between two looks at the messages; one decoder step where that takes longer. A look
 * takes about half a millisecond, far more than there is to see. Where nobody watches a text grow and
 * nothing else waits, only a cancel or a new request is to be seen.
 */
const kSlice = 16;
const kSliceUnwatched = 48;

/** Milliseconds between two sights of the sentence under way. */
const kDraftInterval = 15;

type LoadedModel = StartedEngine & { translator: EngineTranslator; batcher: Batcher };

export class Session {
  readonly #environment: SessionEnvironment;
  readonly #queue: Queue;
  readonly #now: () => number;
  readonly #memory = new Map<string, Candidate[]>();
  #started: StartedEngine | null = null;
  #model: { translator: EngineTranslator; batcher: Batcher } | null = null;
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
        void this.#load(id, request.source);
        return;
      case 'translate':
        this.#enqueue(request, () => this.#translate(request));
        return;
      case 'explain':
        this.#enqueue(request, () =>
          this.#once(({ translator }) =>
            // All three arguments, always: Embind counts them.
            translator.explain(
              wellFormed(request.text),
              request.options,
              request.target === null ? undefined : wellFormed(request.target),
            ),
          ),
        );
        return;
      case 'continuations':
        this.#enqueue(request, () =>
          this.#once(({ translator }) =>
            translator.continuations(wellFormed(request.text), request.prefixes, request.options),
          ),
        );
        return;
      case 'score':
        this.#enqueue(request, () =>
          this.#once(({ translator }) => translator.score(request.texts.map(wellFormed), request.target)),
        );
        return;
      case 'inside':
        this.#enqueue(request, () =>
          this.#once(({ engine, translator }) => callInside(engine, translator, request.method, request.args)),
        );
        return;
      case 'cancel':
        if (this.#loading?.id === id) this.#loading.stop.abort();
        this.#queue.cancel(id);
        return;
    }
  }

  async #load(id: number, source: ModelSource): Promise<void> {
    this.#loading?.stop.abort();
    const loading = { id, stop: new AbortController() };
    this.#loading = loading;
    const { signal } = loading.stop;
    try {
      // Compiling and downloading overlap; a rejection of the first to be awaited must not leave the
      // other unobserved.
      const engine = this.#environment.engine();
      engine.catch(() => {});
      const files =
        'files' in source
          ? source.files
          : await (this.#environment.download ?? downloadModel)(source.base, source.model, {
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
      if (!('files' in source)) release(files);
      this.#unload();
      this.#model = { translator, batcher: new Batcher(translator, threads, this.#now) };
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
    this.#model?.batcher.clear();
    this.#model?.translator.delete();
    this.#model = null;
  }

  #enqueue<T extends Results[keyof Results]>(
    { id, lane }: { id: number; lane: string | null },
    start: () => Steps<T>,
  ): void {
    const { post } = this.#environment;
    this.#queue.add<T>({
      id,
      lane,
      start,
      done: (value) => {
        const { copy, buffers } = transferable(value);
        post({ type: 'result', id, value: copy }, buffers);
      },
      failed: (error) => post({ type: 'error', id, failure: toFailure(error, 'input') }),
      dropped: () => post({ type: 'error', id, failure: { kind: 'aborted' } }),
    });
  }

  #loaded(): LoadedModel {
    if (!this.#started || !this.#model) {
      throw new TranslucentError({ kind: 'state', message: 'no model is loaded' });
    }
    return { ...this.#started, ...this.#model };
  }

  /**
   * Many sentences at a time, which together take less time. Where its growth is watched, one or two
   * at first, so that something shows at once; what is known so far is posted as it grows.
   */
  *#translate({ id, text: given, options, partials }: Request & { type: 'translate' }): Steps<Translation> {
    const { engine, batcher } = this.#loaded();
    const text = wellFormed(given);
    const ranges = engine.splitSentences(text);
    const pieces = ranges.map((range) => text.slice(range.begin, range.end));
    const keyOf = (piece: string) => JSON.stringify([options, piece]);
    const sentences: Sentence[] = [];
    let out = '';
    let read = 0;
    let milliseconds = 0;
    let remembered = 0;
    let atOnce = partials ? 1 : kMostUnwatched;
    let done = 0;
    let posted = { sentences: 0, length: 0, draft: '', at: -Infinity };
    const grow = (draft: string) => {
      const growth = {
        text: out.slice(posted.length),
        sentences: sentences.slice(posted.sentences),
        draft,
        total: ranges.length,
      };
      posted = { sentences: sentences.length, length: out.length, draft, at: this.#now() };
      this.#environment.post({ type: 'growth', id, growth });
    };
    const separated = (range: { begin: number }, translated: string) =>
      engine.sentenceSeparator(lastCharacter(out), text.slice(read, range.begin), translated) + translated;

    while (done < ranges.length) {
      const end = Math.min(done + atOnce, ranges.length);
      const group = pieces.slice(done, end);
      const found = new Map<string, Candidate[]>();
      const tickets = new Map<string, Ticket>();
      for (const piece of group) {
        const known = this.#memory.get(keyOf(piece));
        if (known) found.set(piece, known);
        else if (!tickets.has(piece)) tickets.set(piece, batcher.ask(piece, options));
      }
      const waiting = [...tickets.values()];
      remembered += group.length - waiting.length;
      try {
        if (waiting.length > 0 && this.#queue.length > 1) yield; // what others ask for gets into the same job
        for (const [piece, ticket] of tickets) {
          let candidates = ticket.result();
          while (!candidates) {
            const took = batcher.advance(waiting, partials || this.#queue.length > 1 ? kSlice : kSliceUnwatched);
            milliseconds += took ?? 0;
            candidates = ticket.result();
            if (candidates) break;
            if (partials && piece === group[0] && this.#now() - posted.at >= kDraftInterval) {
              const draft = ticket.draft();
              if (draft !== '') {
                const whole = separated(ranges[done]!, draft);
                if (whole !== posted.draft) grow(whole);
              }
            }
            yield took === null;
          }
          found.set(piece, candidates);
        }
      } finally {
        for (const ticket of waiting) batcher.release(ticket);
      }
      for (; done < end; done++) {
        const range = ranges[done]!;
        const piece = pieces[done]!;
        const candidates = found.get(piece)!;
        this.#remember(keyOf(piece), candidates);
        const best = candidates[0] ?? { text: '', score: 0 };
        out += separated(range, best.text);
        sentences.push({
          source: range,
          target: { begin: out.length - best.text.length, end: out.length },
          score: best.score,
          ...((options.nbest ?? 1) > 1 && { candidates }),
        });
        read = range.end;
      }
      if (done < ranges.length) {
        // Remembered sentences come in a burst: nothing to show before the first computed one.
        if (partials && milliseconds > 0) grow('');
        yield;
      }
      if (partials && done >= 2) atOnce = Math.min(2 * atOnce, kMostWatched);
    }
    out += text.slice(read);
    return { text: out, sentences, milliseconds, remembered };
  }

  #remember(key: string, value: Candidate[]): void {
    this.#memory.delete(key); // the newest is the last
    this.#memory.set(key, value);
    if (this.#memory.size > kRemembered) {
      const oldest = this.#memory.keys().next();
      if (!oldest.done) this.#memory.delete(oldest.value);
    }
  }

  /** Work that is not cut: a single step, as a generator so that it takes its turn in the queue. */
  *#once<T>(work: (loaded: LoadedModel) => T): Steps<T> {
    return work(this.#loaded());
  }
}

function callInside(engine: object, translator: object, method: string, args: unknown[]): unknown {
  const owner = Object.hasOwn(kInside, method) ? kInside[method] : undefined;
  const target = (owner === 'engine' ? engine : translator) as Record<string, unknown>;
  const call = owner && target[method];
  if (typeof call !== 'function') {
    throw new TranslucentError({ kind: 'input', message: `inside: the engine has no function ${method}` });
  }
  return call.apply(target, args) as unknown;
}

/**
 * Gives the memory back at once. A browser holds a buffer that came from a message or a fetch beside the
 * script's object, until its collector comes round: it ends with being sent away, here to nobody.
 */
function release(files: EngineFile[]): void {
  const { port1, port2 } = new MessageChannel();
  try {
    // Two names may share one content.
    port1.postMessage(null, [...new Set(files.map(({ bytes }) => bytes.buffer as ArrayBuffer))]);
  } catch {
    // A buffer that cannot be sent, as Node's own may be, waits for the collector.
  }
  port1.close();
  port2.close();
}

/** Half a surrogate pair has no UTF-8; U+FFFD takes its place, one code unit for one. */
function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\ufffd');
}

/** At most two code units: enough for one character, whole. */
function lastCharacter(text: string): string {
  return Array.from(text.slice(-2)).at(-1) ?? '';
}

/**
 * `value` with every typed array in a buffer of its own, and those buffers, which are sent without
 * copying. A view into WebAssembly memory cannot be sent.
 */
function transferable<T>(value: T): { copy: T; buffers: Transferable[] } {
  const buffers = new Set<ArrayBuffer>();
  const walk = (part: unknown): unknown => {
    if (ArrayBuffer.isView(part)) {
      const array = part as Float32Array<ArrayBuffer>;
      const own = array.buffer.byteLength === array.byteLength ? array : array.slice();
      buffers.add(own.buffer);
      return own;
    }
    if (Array.isArray(part)) {
      // Lists of plain values, such as tokens, are most of what there is: copied only where needed.
      for (const [i, item] of part.entries()) {
        if (typeof item === 'object' && item !== null) part[i] = walk(item);
      }
      return part;
    }
    if (typeof part === 'object' && part !== null) {
      const record = part as Record<string, unknown>;
      for (const [key, item] of Object.entries(record)) {
        if (typeof item === 'object' && item !== null) record[key] = walk(item);
      }
    }
    return part;
  };
  return { copy: walk(value) as T, buffers: [...buffers] };
}
