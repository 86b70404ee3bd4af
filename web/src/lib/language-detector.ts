// The LanguageDetector of the Translator and Language Detector draft. Its table of n-grams is a file of
// its own that is loaded with the first detector.

import { bestFit, canonicalTag } from './languages';
import {
  type Availability,
  type CallOptions,
  type CreateOptions,
  createModel,
  createOptions,
  Destruction,
  dictionary,
  requireActive,
  text as toText,
} from './model-api';

export interface LanguageDetectorCreateCoreOptions {
  /** BCP 47. */
  expectedInputLanguages?: readonly string[];
}

export interface LanguageDetectorCreateOptions extends LanguageDetectorCreateCoreOptions, CreateOptions {}

export interface LanguageDetectionResult {
  detectedLanguage: string;
  confidence: number;
}

/** Known here as well, so that availability() needs no download. detect.ts has the same. */
export const kLanguages: readonly string[] = 'ar cs de el en es fa fr he hi it ja ko nl pl pt ru sv th tr uk vi zh'.split(' ');

type Detect = typeof import('./detect').detect;

let loading: Promise<Detect> | null = null;
let loaded = false;

function load(): Promise<Detect> {
  loading ??= import('./detect').then(
    ({ detect }) => {
      loaded = true;
      return detect;
    },
    (error: unknown) => {
      loading = null;
      throw new DOMException(`The language detector could not be loaded: ${(error as Error).message}`, 'NetworkError');
    },
  );
  return loading;
}

function expectedOf(options: unknown): string[] {
  const given = dictionary(options, 'LanguageDetector').expectedInputLanguages;
  if (given === undefined) return [];
  if (typeof given !== 'object' || given === null || !(Symbol.iterator in given)) {
    throw new TypeError('expectedInputLanguages is not a list');
  }
  return [...new Set(Array.from(given as Iterable<unknown>, (tag) => canonicalTag(toText(tag))))];
}

/** The tags by the names of the languages that are detected; null where one is not among them. */
function fitted(expected: string[]): string[] | null {
  const fits = expected.map((tag) => bestFit(kLanguages, tag));
  return fits.every((tag) => tag !== undefined) ? (fits as string[]) : null;
}

const kToken = Symbol('create');

export class LanguageDetector {
  readonly #expected: readonly string[] | null;
  readonly #detect: Detect;
  readonly #destruction: Destruction;

  /** @internal */
  constructor(token: symbol, detect: Detect, expected: string[], signal: AbortSignal | undefined) {
    if (token !== kToken) throw new TypeError('Illegal constructor');
    this.#detect = detect;
    this.#expected = expected.length > 0 ? Object.freeze(expected) : null;
    this.#destruction = new Destruction(signal, () => {});
  }

  static async availability(options: LanguageDetectorCreateCoreOptions = {}): Promise<Availability> {
    requireActive();
    if (!fitted(expectedOf(options))) return 'unavailable';
    return loaded ? 'available' : loading ? 'downloading' : 'downloadable';
  }

  static async create(options: LanguageDetectorCreateOptions = {}): Promise<LanguageDetector> {
    requireActive();
    const expected = expectedOf(options);
    const common = createOptions(options);
    const fits = fitted(expected);
    return createModel<LanguageDetector>(common, {
      availability: async () => (fits ? 'downloadable' : 'unavailable'),
      create: async () => new LanguageDetector(kToken, await load(), fits!, common.signal),
      discard: (detector) => detector.destroy(),
    });
  }

  get expectedInputLanguages(): readonly string[] | null {
    return this.#expected;
  }

  /** No limit: of a long text its beginning is looked at. */
  get inputQuota(): number {
    return Infinity;
  }

  async measureInputUsage(input: string, options?: CallOptions): Promise<number> {
    if (arguments.length === 0) throw new TypeError('measureInputUsage: 1 argument required, but only 0 present');
    toText(input);
    return this.#destruction.run(options, async () => 0);
  }

  /** The languages of the text, the surest first, and last "und": how sure it is none of those known. */
  async detect(input: string, options?: CallOptions): Promise<LanguageDetectionResult[]> {
    if (arguments.length === 0) throw new TypeError('detect: 1 argument required, but only 0 present');
    const text = toText(input);
    return this.#destruction.run(options, async () => {
      const { languages, unknown } = this.#detect(text);
      const results: LanguageDetectionResult[] = [];
      let sum = 0;
      for (const [detectedLanguage, confidence] of languages) {
        if (confidence === 0 || confidence < unknown || sum >= 0.99) break;
        results.push({ detectedLanguage, confidence });
        sum += confidence;
      }
      return [...results, { detectedLanguage: 'und', confidence: unknown }];
    });
  }

  destroy(): void {
    this.#destruction.destroy();
  }

  get [Symbol.toStringTag](): string {
    return 'LanguageDetector';
  }
}
