// What the engine's functions for looking inside return (wasm/inside_bindings.cc). Every number the
// page shows here comes from them; the page only formats.

export interface MatrixData {
  rows: number;
  cols: number;
  values: Float32Array;
  /** Of the finite values. */
  min: number;
  max: number;
  mean: number;
  deviation: number;
  /** Around a residual connection: of each row, and how the values spread over [-range, range]. */
  means?: Float32Array;
  variances?: Float32Array;
  range?: number;
  histogram?: Int32Array;
}

export interface Word {
  piece: string;
  id: number;
  begin: number;
  end: number;
}

export interface TraceCandidate {
  id: number;
  piece: string;
  logit: number;
  probability: number;
}

export interface TraceStep {
  input: number;
  inputPiece: string;
  chosen: TraceCandidate;
  /** 0: the most probable. */
  rank: number;
  logSumExp: number;
  candidates: TraceCandidate[];
}

export interface Trace {
  source: { text: string; tokens: Word[] };
  target: { text: string; tokens: Word[] };
  /** Positions of the source, padding included. */
  length: number;
  padding: string;
  start: string;
  /** What greedy search writes with the same switches. */
  rewritten: string;
  preNorm: boolean;
  activation: string;
  embeddingScale: number;
  encoderScale: number;
  decoderScale: number;
  dModel: number;
  encoderLayers: number;
  encoderHeads: number;
  decoderLayers: number;
  decoderHeads: number;
  matrices: Record<string, MatrixData>;
  steps: TraceStep[];
}

export interface Switches {
  positions: boolean;
  scaled: boolean;
  causal: boolean;
  padded: boolean;
}

export interface TraceOptions extends Switches {
  encoderLayer: number;
  encoderHead: number;
  decoderLayer: number;
  decoderHead: number;
  step: number;
}

export interface PairOutputs {
  first: MatrixData;
  second: MatrixData;
  /** [second, first]: the largest absolute difference of two vectors. */
  differences: MatrixData;
  /** Of the vectors of the same pieces. */
  largest: number;
}

export interface PairSide {
  text: string;
  tokens: Word[];
  translation: string;
  without: string;
}

export interface Pair {
  first: PairSide;
  second: PairSide;
  /** For each token of the second the same one of the first; -1: none. */
  same: number[];
  permuted: boolean;
  withPositions: PairOutputs;
  withoutPositions: PairOutputs;
}

export type SimilarityName = 'dot' | 'scaled' | 'cosine' | 'additive' | 'concat' | 'mlp' | 'naive';

export interface Similarities {
  tokens: Word[];
  dK: number;
  dModel: number;
  seed: number;
  entries: {
    name: SimilarityName;
    scores: MatrixData;
    weights: MatrixData;
    multiplyAdds: number;
    evaluations: number;
  }[];
}

export interface Measurement {
  milliseconds: number;
  repetitions: number;
  multiplyAdds: number;
  evaluations: number;
}

export interface ScoreStatistics {
  variance: number;
  scaledVariance: number;
  largest: number;
  scaledLargest: number;
  entropy: number;
  scaledEntropy: number;
}

export interface RaceState {
  done: boolean;
  milliseconds: number;
  readings: number;
  sequentialSteps: number;
  pathLength: number;
}
