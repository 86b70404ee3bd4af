// The Translator of the Translator and Language Detector draft (webmachinelearning/translation-api), on
// models of this library, and what this one can beyond it.

import { openStore } from './cache';
import type { Candidate, Continuation, EngineFile, ExplainOptions, Explanation } from './engine';
import { bestFit, canonicalTag, isTranslatable, sameLanguage } from './languages';
import {
  type Availability,
  type CallOptions,
  type CreateOptions,
  createModel,
  createOptions,
  Destruction,
  dictionary,
  platformError,
  requireActive,
  text as toText,
} from './model-api';
import { isKept, loadIndex, type ModelInfo } from './models';
import { type PartialTranslation, TranslucentError, type Translation } from './protocol';
import { type ModelUse, stateOf, useModel } from './shared';
import { type Words, wordsOf } from './words';

export interface TranslatorCreateCoreOptions {
  /** BCP 47. */
  sourceLanguage: string;
  targetLanguage: string;
}

/** The files of a model: their names and what is in them. */
export type ModelFiles =
  | Iterable<File | { name: string; bytes: Uint8Array | ArrayBuffer | Blob }>
  | Record<string, Uint8Array | ArrayBuffer | Blob>;

export interface TranslatorCreateOptions extends TranslatorCreateCoreOptions, CreateOptions {
  /**
   * Another model than that of the models folder: the address of its folder, whose parent holds the
   * index.json that lists it, or its files. It has to be one for these languages.
   */
  model?: string | URL | ModelFiles;
}

export interface TranslateOptions extends CallOptions {
  /** Hypotheses kept at each step; 1, the default, is greedy search. */
  beam?: number;
  /** How many translations to give, best first: a list of {text, score} instead of a text. */
  nbest?: number;
}

export interface ExplanationOfWords extends Explanation {
  /** The tokens put together into words, and which word came from which. */
  words: Words;
}

// Not in the form that bundlers recognise: they would look for a file of that name.
const kDefaultModels = () => import.meta.url.replace(/[^/]*$/, 'models/');

let modelsFolder: string | null = null;

/** How the list is fetched and what addresses are relative to; Node has other ways (node.ts). */
export const network = {
  fetch: undefined as typeof fetch | undefined,
  base: () => globalThis.document?.baseURI ?? globalThis.location?.href,
};

/** Where the models lie: the address of a folder with an index.json. By default beside the library. */
export function configure({ models }: { models: string | URL }): void {
  const url = new URL(models, network.base());
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  modelsFolder = url.href;
}

const indexes = new Map<string, Promise<ModelInfo[]>>();

/** The list of a folder, read once. */
function indexOf(base: string): Promise<ModelInfo[]> {
  let index = indexes.get(base);
  if (!index) {
    index = loadIndex(base, { store: openStore(), ...(network.fetch && { fetch: network.fetch }) });
    indexes.set(base, index);
    index.catch(() => indexes.delete(base)); // the next one asks again
  }
  return index;
}

interface Arc {
  sourceLanguage: string;
  targetLanguage: string;
}

interface Found extends Arc {
  base: string;
  model: ModelInfo;
}

function arcOf(options: unknown, method: string): Arc {
  const given = dictionary(options, method);
  const read = (name: 'sourceLanguage' | 'targetLanguage') => {
    if (given[name] === undefined) throw new TypeError(`${method}: ${name} is missing`);
    return toText(given[name]);
  };
  const [source, target] = [read('sourceLanguage'), read('targetLanguage')];
  return { sourceLanguage: canonicalTag(source), targetLanguage: canonicalTag(target) };
}

/** The model that translates between these languages, and by what names. */
async function find(arc: Arc): Promise<Found | null> {
  const base = modelsFolder ?? kDefaultModels();
  for (const model of await indexOf(base)) {
    const sourceLanguage = bestFit([canonicalTag(model.source)], arc.sourceLanguage);
    const targetLanguage = bestFit([canonicalTag(model.target)], arc.targetLanguage);
    if (sourceLanguage !== undefined && targetLanguage !== undefined) {
      return { base, model, sourceLanguage, targetLanguage };
    }
  }
  return null;
}

async function availabilityOf(found: Found): Promise<Availability> {
  const state = stateOf(found.base, found.model);
  if (state === 'loading') return 'downloading';
  return state === 'loaded' || (await isKept(found.base, found.model)) ? 'available' : 'downloadable';
}

/** The model whose folder has this address. */
async function findByAddress(address: string | URL): Promise<{ base: string; model: ModelInfo }> {
  const folder = new URL(address, network.base());
  folder.pathname = folder.pathname.replace(/\/*$/, '');
  const id = decodeURIComponent(folder.pathname.split('/').at(-1)!);
  const base = new URL('./', folder).href;
  const model = (await indexOf(base)).find((entry) => entry.id === id);
  if (model) return { base, model };
  const message = `${new URL('index.json', base).href} lists no model ${id}`;
  throw new TranslucentError({ kind: 'index', url: base, message });
}

async function readFiles(files: ModelFiles): Promise<EngineFile[]> {
  const list =
    Symbol.iterator in files
      ? Array.from(files, (file) =>
          'bytes' in file && !(typeof Blob !== 'undefined' && file instanceof Blob)
            ? { name: file.name, content: file.bytes }
            : { name: file.name, content: file as Blob },
        )
      : Object.entries(files).map(([name, content]) => ({ name, content }));
  return Promise.all(
    list.map(async ({ name, content }) => {
      if (content instanceof Uint8Array) return { name, bytes: content };
      if (content instanceof ArrayBuffer) return { name, bytes: new Uint8Array(content) };
      if (typeof Blob !== 'undefined' && content instanceof Blob) {
        return { name, bytes: new Uint8Array(await content.arrayBuffer()) };
      }
      throw new TypeError(`model: ${name} is neither bytes nor a Blob`);
    }),
  );
}

/** Only create() makes one. */
const kToken = Symbol('create');

/** Not the engine's options by the engine's names only: what a caller may set, checked. */
function searchOptions({ beam, nbest }: TranslateOptions): { beamSize?: number; nbest?: number } {
  for (const [name, value] of Object.entries({ beam, nbest })) {
    if (value === undefined) continue;
    if (!Number.isInteger(value) || value < 1) throw new TypeError(`${name} is not a whole number of at least 1`);
  }
  const width = Math.max(beam ?? 1, nbest ?? 1);
  return { ...(width > 1 && { beamSize: width }), ...(nbest !== undefined && nbest > 1 && { nbest }) };
}

export class Translator {
  readonly #arc: Arc;
  /** null: both languages are the same, and a text is its own translation. */
  readonly #use: ModelUse | null;
  readonly #destruction: Destruction;

  /** @internal */
  constructor(token: symbol, arc: Arc, use: ModelUse | null, signal: AbortSignal | undefined) {
    if (token !== kToken) throw new TypeError('Illegal constructor');
    this.#arc = arc;
    this.#use = use;
    this.#destruction = new Destruction(signal, () => use?.release());
  }

  static async availability(options: TranslatorCreateCoreOptions): Promise<Availability> {
    requireActive();
    const arc = arcOf(options, 'availability');
    let found;
    try {
      found = await find(arc);
    } catch (error) {
      throw platformError(error);
    }
    if (found) return availabilityOf(found);
    return sameLanguage(arc.sourceLanguage, arc.targetLanguage) ? 'available' : 'unavailable';
  }

  static async create(options: TranslatorCreateOptions): Promise<Translator> {
    requireActive();
    const arc = arcOf(options, 'create');
    const common = createOptions(options);
    const given = options.model;
    let found: Found | null = null;
    return createModel<Translator>(common, {
      availability: async () => {
        if (given !== undefined) return 'downloadable';
        try {
          found = await find(arc);
        } catch (error) {
          throw platformError(error);
        }
        if (found) return availabilityOf(found);
        return sameLanguage(arc.sourceLanguage, arc.targetLanguage) ? 'available' : 'unavailable';
      },
      create: async (report, signal) => {
        if (given === undefined && !found) return new Translator(kToken, arc, null, common.signal);
        try {
          const source =
            given === undefined
              ? found!
              : typeof given === 'string' || given instanceof URL
                ? await findByAddress(given)
                : { files: await readFiles(given) };
          signal.throwIfAborted();
          const { use, ready } = useModel(source);
          // Who gives up lets go at once: the last one ends the download.
          const abort = () => use.release();
          signal.addEventListener('abort', abort);
          try {
            await ready(report);
          } catch (error) {
            use.release();
            throw error;
          } finally {
            signal.removeEventListener('abort', abort);
          }
          return new Translator(kToken, found ?? arc, use, common.signal);
        } catch (error) {
          throw platformError(error);
        }
      },
      discard: (translator) => translator.destroy(),
    });
  }

  get sourceLanguage(): string {
    return this.#arc.sourceLanguage;
  }

  get targetLanguage(): string {
    return this.#arc.targetLanguage;
  }

  /** No limit but the machine's memory. */
  get inputQuota(): number {
    return Infinity;
  }

  /** Always 0, as the draft wants it where there is no quota. */
  async measureInputUsage(input: string, options?: CallOptions): Promise<number> {
    requireArguments(arguments.length, 'measureInputUsage');
    toText(input);
    return this.#destruction.run(options, async () => 0);
  }

  async translate(input: string, options: TranslateOptions & { nbest: number }): Promise<Candidate[]>;
  async translate(input: string, options?: TranslateOptions): Promise<string>;
  async translate(input: string, options: TranslateOptions = {}): Promise<string | Candidate[]> {
    requireArguments(arguments.length, 'translate');
    const text = toText(input);
    const given = dictionary(options, 'translate') as TranslateOptions;
    const search = searchOptions(given);
    return this.#destruction.run(given, async (signal) => {
      if (this.#echoes(text)) return given.nbest === undefined ? text : [{ text, score: 0 }];
      const translation = await this.#translation(text, { ...search, signal });
      return given.nbest === undefined ? translation.text : best(translation, text, given.nbest);
    });
  }

  /** The translation in pieces that follow each other, a sentence or several each. */
  translateStreaming(input: string, options: TranslateOptions = {}): ReadableStream<string> {
    requireArguments(arguments.length, 'translateStreaming');
    const text = toText(input);
    const given = dictionary(options, 'translateStreaming') as TranslateOptions;
    const { nbest: _, ...single } = given;
    const search = searchOptions(single);
    const { signal, release } = this.#destruction.start(given);
    const cancelled = new AbortController();
    let sent = 0;
    return new ReadableStream<string>({
      start: (controller) => {
        const fail = (error: unknown) => {
          release();
          if (cancelled.signal.aborted) return;
          controller.error(error);
        };
        const abort = () => {
          fail(signal.reason);
          cancelled.abort(signal.reason);
        };
        signal.addEventListener('abort', abort);
        const send = (whole: string) => {
          if (cancelled.signal.aborted || whole.length === sent) return;
          controller.enqueue(whole.slice(sent));
          sent = whole.length;
        };
        const working = this.#echoes(text)
          ? Promise.resolve(text)
          : this.#translation(text, {
              ...search,
              signal: cancelled.signal,
              onPartial: (partial) => send(partial.text),
            }).then((translation) => translation.text);
        working.then(
          (whole) => {
            if (cancelled.signal.aborted) return;
            send(whole);
            release();
            controller.close();
          },
          (error: unknown) => fail(platformError(error)),
        );
      },
      cancel: () => {
        release();
        cancelled.abort();
      },
    });
  }

  /**
   * How a sentence is translated: tokens, words, the attention of every layer and head, which word came
   * from which, and with `candidates` what else each step could have chosen. With `target`, how that
   * translation would come about; with `prefix`, ids its tokens have to begin with.
   */
  async explain(
    input: string,
    options: CallOptions & Pick<ExplainOptions, 'candidates' | 'prefix'> & { beam?: number; target?: string } = {},
  ): Promise<ExplanationOfWords> {
    requireArguments(arguments.length, 'explain');
    const text = toText(input);
    const { beam, candidates, prefix, target } = options;
    const search = searchOptions({ ...(beam !== undefined && { beam }) });
    return this.#destruction.run(options, async (signal) => {
      const client = await this.#client('explain');
      signal.throwIfAborted();
      const explanation = await client.explain(text, {
        ...search,
        signal,
        ...(candidates !== undefined && { candidates }),
        ...(prefix && { prefix }),
        ...(target !== undefined && { target }),
      });
      return { ...explanation, words: wordsOf(explanation, this.#arc.sourceLanguage, this.#arc.targetLanguage) };
    });
  }

  /** For each beginning, given as ids of target tokens, the best completion. */
  async continuations(
    input: string,
    prefixes: number[][],
    options: CallOptions & { beam?: number } = {},
  ): Promise<Continuation[]> {
    const text = toText(input);
    const search = searchOptions({ ...(options.beam !== undefined && { beam: options.beam }) });
    return this.#destruction.run(options, async (signal) => {
      const client = await this.#client('continuations');
      signal.throwIfAborted();
      return client.continuations(text, prefixes, { ...search, signal });
    });
  }

  /**
   * Translates the text of a piece of HTML, and of its attributes alt, title, placeholder and aria-label.
   * Tags, other attributes, comments and what must not be translated (code, translate="no", addresses) stay
   * as they are; inline tags move with the words they belong to.
   */
  async translateHTML(html: string, options: TranslateOptions = {}): Promise<string> {
    requireArguments(arguments.length, 'translateHTML');
    const given = toText(html);
    const { nbest: _, ...single } = options;
    const search = searchOptions(single);
    return this.#destruction.run(options, async (signal) => {
      const { translateHTML } = await import('./html');
      return translateHTML(given, {
        isTranslatable: (text) => !this.#echoes(text),
        translate: (text) => this.#translation(text, { ...search, signal }),
        explain: async (text, target) => {
          const client = await this.#client('translateHTML');
          signal.throwIfAborted();
          const explanation = await client.explain(text, { target, signal });
          return wordsOf(explanation, this.#arc.sourceLanguage, this.#arc.targetLanguage);
        },
      });
    });
  }

  /** Brings engine and memory to working temperature, so that the first translation is not slower. */
  async warmup(options?: CallOptions): Promise<void> {
    return this.#destruction.run(options, async (signal) => {
      if (this.#use) await this.#translation('.', { signal });
    });
  }

  destroy(): void {
    this.#destruction.destroy();
  }

  get [Symbol.toStringTag](): string {
    return 'Translator';
  }

  #echoes(text: string): boolean {
    return !this.#use || !isTranslatable(text);
  }

  async #client(method: string) {
    if (!this.#use) {
      throw new TranslucentError({ kind: 'state', message: `${method}: both languages are the same` });
    }
    return this.#use.client();
  }

  async #translation(
    text: string,
    options: {
      signal: AbortSignal;
      beamSize?: number;
      nbest?: number;
      onPartial?: (partial: PartialTranslation) => void;
    },
  ): Promise<Translation> {
    const client = await this.#client('translate');
    options.signal.throwIfAborted();
    return client.translate(text, options);
  }
}

function requireArguments(count: number, method: string): void {
  if (count === 0) throw new TypeError(`${method}: 1 argument required, but only 0 present`);
}

/** The best few translations of the whole text: of all ways to combine those of its sentences. */
function best({ text, sentences }: Translation, source: string, count: number): Candidate[] {
  if (sentences.length === 0) return [{ text: source, score: 0 }];
  let sums: Candidate[] = [{ text: '', score: 0 }];
  let read = 0;
  for (const { target, candidates, score } of sentences) {
    const between = text.slice(read, target.begin);
    const own = candidates ?? [{ text: text.slice(target.begin, target.end), score }];
    sums = sums
      .flatMap((sum) => own.map((one) => ({ text: sum.text + between + one.text, score: sum.score + one.score })))
      .sort((a, b) => b.score - a.score)
      .slice(0, count);
    read = target.end;
  }
  return sums.map((sum) => ({ text: sum.text + text.slice(read), score: sum.score }));
}

