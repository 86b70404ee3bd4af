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
}

export interface Range {
  begin: number;
  end: number;
}

/** One loaded model. Lives in WebAssembly memory until delete(). */
export interface EngineTranslator {
  translate(texts: string[], options: TranslateOptions): Candidate[][];
  explain(text: string, options: TranslateOptions, target: string | undefined): Explanation;
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
