// What the worker uses of the WebAssembly module: the shape of wasm/*.cc as TypeScript sees it.
// Offsets are UTF-16 code units, so that they index JavaScript strings directly.

export interface EngineFile {
  name: string;
  bytes: Uint8Array;
}

export interface TranslateOptions {
  beamSize?: number;
  nbest?: number;
  maxLength?: number;
  lengthPenalty?: number;
  /** Compute scores also in greedy search, where they are 0 otherwise. */
  scores?: boolean;
  /** Threads that share one call; more than the module was started with are not used. */
  threads?: number;
}

export interface Candidate {
  text: string;
  score: number;
}

export interface Token {
  piece: string;
  id: number;
  begin: number;
  end: number;
  /** Of a target token, given those before it. */
  probability?: number;
}

/** Row-major weights of one stack. Every row sums to 1; masked places are exactly 0. */
export interface AttentionMaps {
  shape: [layers: number, heads: number, queries: number, keys: number];
  weights: Float32Array;
}

/**
 * How one sentence was translated. Decoder queries are decoding steps: row t belongs to target token
 * t, the one predicted; key j is the input of step j (the start symbol, then target token j-1).
 */
export interface Explanation {
  source: { text: string; tokens: Token[] };
  target: { text: string; tokens: Token[] };
  encoder: AttentionMaps;
  decoder: AttentionMaps;
  cross: AttentionMaps;
  alignment: { source: number; target: number; weight: number }[];
  /** One for every target token where `candidates` were asked for, otherwise none. */
  steps: Step[];
}

/** What might have stood at one place of the target, given the tokens before it. */
export interface Step {
  /** In bits, over all ids that are not forbidden. */
  entropy: number;
  /** Best first; forbidden ids are not among them. */
  candidates: { id: number; piece: string; probability: number }[];
}

export interface ExplainOptions extends TranslateOptions {
  /** Candidates of every step, at most; 0, the default: no steps. */
  candidates?: number;
  /** Target ids that the model's own translation is to begin with, without the end symbol. */
  prefix?: number[];
}

/** A translation that begins with target ids it was given, as tokens: these, then the model's own. */
export interface Continuation {
  text: string;
  tokens: Token[];
  /** As a Candidate's, over all tokens. */
  score: number;
}

export interface Range {
  begin: number;
  end: number;
}

/**
 * A translation under way, with the result of translate(). Lives in WebAssembly memory until
 * delete(), which also cancels it; the model it came from may be deleted before.
 */
export interface EngineJob {
  /** Works for about that long, one decoder step or encoder pass at least; true when all is done. */
  run(milliseconds: number): boolean;
  /**
   * What is known of texts[index]: its finished sentences, and of those under way the best so far.
   * After the last it is texts[index]'s first candidate.
   */
  partial(index: number): string;
  /** When done; throws before. */
  result(): Candidate[][];
  delete(): void;
}

/** One loaded model. Lives in WebAssembly memory until delete(). Wrong input throws one Error. */
export interface EngineTranslator {
  translate(texts: string[], options: TranslateOptions): Candidate[][];
  /** The same work as a job that has done nothing yet. */
  start(texts: string[], options: TranslateOptions): EngineJob;
  /** One sentence. Either a target or a prefix may be given. */
  explain(text: string, options: ExplainOptions, target: string | undefined): Explanation;
  /**
   * For each list of target ids (without the end symbol) the best translation of one sentence that
   * begins with it.
   */
  continuations(text: string, prefixes: number[][], options: TranslateOptions): Continuation[];
  /**
   * For each text, as one sentence, the probability of every id of `target` as its translation, given
   * the ids before it.
   */
  score(texts: string[], target: number[]): Float32Array[];
  delete(): void;
}

export interface Engine {
  Translator: new (files: EngineFile[]) => EngineTranslator;
  splitSentences(text: string): Range[];
  /** What stands between two translations, given what stood between the sentences. */
  sentenceSeparator(before: string, source: string, after: string): string;
  /** The kernels at work: "wasm-simd128", "wasm-relaxed". */
  instructionSet(): string;
}
