// What is computed from attention weights: means, rollout, words, what a head does, rank correlation.
// Pure functions over the engine's numbers; the tests compare them with NumPy's and SciPy's.

import type { AttentionMaps, Token } from '../../lib/engine';
import { group } from '../../lib/words';

/** [rows, columns], row-major: rows are queries, columns keys. */
export interface Matrix {
  rows: number;
  columns: number;
  weights: Float32Array;
}

/** Token indices [begin, end) that belong together. */
export interface Span {
  begin: number;
  end: number;
}

/** Layers and heads are counted from 0 here and from 1 on the screen. */
export type Layer = number | 'all';
export type Head = number | 'mean' | 'max';

// --- Heads and their summaries -------------------------------------------------------------------

/**
 * One head, or mean or maximum over heads, of one layer or of all.
 * Rows of a maximum do not sum to 1. Throws RangeError where there is no such layer or head.
 */
export function weightsOf(maps: AttentionMaps, layer: Layer, head: Head): Matrix {
  const [layers, heads, rows, columns] = maps.shape;
  const size = rows * columns;
  const known = (index: number, count: number) => Number.isInteger(index) && index >= 0 && index < count;
  if (
    (layer !== 'all' && !known(layer, layers)) ||
    (typeof head === 'number' && (layer === 'all' || !known(head, heads)))
  ) {
    throw new RangeError(`no layer ${layer}, head ${head} among ${layers} layers of ${heads} heads`);
  }
  const first = layer === 'all' ? 0 : layer * heads;
  const count = layer === 'all' ? layers * heads : heads;
  if (typeof head === 'number') {
    return { rows, columns, weights: maps.weights.subarray((first + head) * size, (first + head + 1) * size) };
  }
  const weights = new Float32Array(size);
  for (let i = 0; i < size; i++) {
    let sum = 0;
    let largest = 0;
    for (let h = first; h < first + count; h++) {
      const weight = maps.weights[h * size + i]!;
      sum += weight;
      largest = Math.max(largest, weight);
    }
    weights[i] = head === 'mean' ? sum / count : largest;
  }
  return { rows, columns, weights };
}

/** a [m, k] times b [k, n]. */
function multiply(a: Matrix, b: Matrix): Matrix {
  const weights = new Float32Array(a.rows * b.columns);
  for (let i = 0; i < a.rows; i++) {
    for (let k = 0; k < a.columns; k++) {
      const factor = a.weights[i * a.columns + k]!;
      if (factor === 0) continue;
      for (let j = 0; j < b.columns; j++) {
        weights[i * b.columns + j]! += factor * b.weights[k * b.columns + j]!;
      }
    }
  }
  return { rows: a.rows, columns: b.columns, weights };
}

function blend(share: number, a: Matrix, b: Matrix): Matrix {
  return { ...a, weights: a.weights.map((weight, i) => share * weight + (1 - share) * b.weights[i]!) };
}

function identity(size: number): Matrix {
  const weights = new Float32Array(size * size);
  for (let i = 0; i < size; i++) weights[i * size + i] = 1;
  return { rows: size, columns: size, weights };
}

/** What of a position's value the residual connection carries past the attention. */
const kResidual = 0.5;

function rolled(maps: AttentionMaps, layer: number): Matrix {
  const mean = weightsOf(maps, layer, 'mean');
  return blend(kResidual, identity(mean.rows), mean);
}

const topOf = (maps: AttentionMaps, layer: Layer) => (layer === 'all' ? maps.shape[0] - 1 : layer);

/**
 * Attention rollout of a self-attention stack up to and with `layer` (Abnar and Zuidema, "Quantifying
 * Attention Flow in Transformers", 2020): the product over layers of 0.5 I + 0.5 (mean over heads).
 */
export function rollout(maps: AttentionMaps, layer: Layer): Matrix {
  let product = identity(maps.shape[2]);
  for (let l = 0; l <= topOf(maps, layer); l++) product = multiply(rolled(maps, l), product);
  return product;
}

/**
 * The same flow from source tokens into decoder positions: in each decoder layer half a position stays,
 * half is gathered by self-attention; then half stays and half comes from the encoder's rollout through
 * cross-attention. What a position still owes to the words already written is left out, and its row
 * scaled to sum to 1. [target, source]
 */
export function crossRollout(
  { encoder, decoder, cross }: { encoder: AttentionMaps; decoder: AttentionMaps; cross: AttentionMaps },
  layer: Layer,
): Matrix {
  const source = rollout(encoder, 'all');
  const [, , rows, columns] = cross.shape;
  let flow: Matrix = { rows, columns, weights: new Float32Array(rows * columns) };
  for (let l = 0; l <= topOf(cross, layer); l++) {
    const carried = multiply(rolled(decoder, l), flow);
    flow = blend(kResidual, carried, multiply(weightsOf(cross, l, 'mean'), source));
  }
  return scaleRows(flow, 'sum');
}

// --- Rows ----------------------------------------------------------------------------------------

export type RowScale = 'weights' | 'sum' | 'largest';

/** Every row divided by its sum or by its largest weight; a row of zeros stays one. */
export function scaleRows(matrix: Matrix, scale: RowScale): Matrix {
  if (scale === 'weights') return matrix;
  const { rows, columns } = matrix;
  const weights = matrix.weights.slice();
  for (let i = 0; i < rows; i++) {
    const row = weights.subarray(i * columns, (i + 1) * columns);
    const whole = scale === 'sum' ? row.reduce((a, b) => a + b, 0) : row.reduce((a, b) => Math.max(a, b), 0);
    if (whole > 0) for (let j = 0; j < columns; j++) row[j]! /= whole;
  }
  return { rows, columns, weights };
}

/** The rows and columns named, in that order. */
export function select({ columns, weights }: Matrix, rows: readonly number[], kept: readonly number[]): Matrix {
  const chosen = new Float32Array(rows.length * kept.length);
  let at = 0;
  for (const row of rows) for (const column of kept) chosen[at++] = weights[row * columns + column]!;
  return { rows: rows.length, columns: kept.length, weights: chosen };
}

/** In bits; zeros add nothing. */
export function entropy(probabilities: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < probabilities.length; i++) {
    const p = probabilities[i]!;
    if (p > 0) sum -= p * Math.log2(p);
  }
  return sum;
}

// --- Words ---------------------------------------------------------------------------------------

/** Start and end of sentence: symbols of the model, not of the text. */
export function isSpecial({ piece }: Pick<Token, 'piece'>): boolean {
  return piece === '</s>' || piece === '<s>' || piece === '<pad>';
}

/**
 * The words of a sentence as runs of its tokens, without gaps: a token of nothing but a space belongs to
 * the word after it, and symbols of the model stand alone.
 */
export function wordsOf(text: string, tokens: readonly Token[], language = 'und'): Span[] {
  const words: Span[] = [];
  let at = 0;
  const alone = (end: number) => {
    while (at < end) words.push({ begin: at, end: ++at });
  };
  for (const { first, last } of group(text, [...tokens], language)) {
    let begin = first;
    while (begin > at && !isSpecial(tokens[begin - 1]!)) begin--;
    alone(begin);
    words.push({ begin, end: last });
    at = last;
  }
  alone(tokens.length);
  return words;
}

/**
 * From pieces to words: a query word is the mean of its pieces, a key word the sum of its pieces, so a
 * row that sums to 1 still does.
 */
export function joinWords(matrix: Matrix, queries: readonly Span[], keys: readonly Span[]): Matrix {
  const weights = new Float32Array(queries.length * keys.length);
  for (const [i, query] of queries.entries()) {
    for (const [j, key] of keys.entries()) {
      let sum = 0;
      for (let q = query.begin; q < query.end; q++) {
        for (let k = key.begin; k < key.end; k++) sum += matrix.weights[q * matrix.columns + k]!;
      }
      weights[i * keys.length + j] = sum / (query.end - query.begin);
    }
  }
  return { rows: queries.length, columns: keys.length, weights };
}

// --- Ranks ---------------------------------------------------------------------------------------

/** Ranks from 1; equal values share the mean of theirs. */
export function ranks(values: ArrayLike<number>): number[] {
  const order = Array.from({ length: values.length }, (_, i) => i).sort((a, b) => values[a]! - values[b]!);
  const result = new Array<number>(values.length);
  for (let begin = 0; begin < order.length; ) {
    let end = begin + 1;
    while (end < order.length && values[order[end]!] === values[order[begin]!]) end++;
    for (let i = begin; i < end; i++) result[order[i]!] = (begin + 1 + end) / 2;
    begin = end;
  }
  return result;
}

/** Spearman's rank correlation; null where one side has no order (fewer than two values, or all equal). */
export function spearman(a: ArrayLike<number>, b: ArrayLike<number>): number | null {
  if (a.length !== b.length) throw new RangeError(`${a.length} values beside ${b.length}`);
  const x = ranks(a);
  const y = ranks(b);
  const middle = (x.length + 1) / 2;
  let xy = 0;
  let xx = 0;
  let yy = 0;
  for (let i = 0; i < x.length; i++) {
    const dx = x[i]! - middle;
    const dy = y[i]! - middle;
    xy += dx * dy;
    xx += dx * dx;
    yy += dy * dy;
  }
  return xx === 0 || yy === 0 ? null : xy / Math.sqrt(xx * yy);
}

// --- What a head does ----------------------------------------------------------------------------

export interface Picked {
  layer: number;
  head: number;
  /** Mean over target tokens of the largest weight on one source token. */
  sharpness: number;
  /** Spearman's correlation of target position and mean source position looked at; at least 0. */
  monotonicity: number;
}

/**
 * The cross head that reads most like an alignment: of the last layer the one with the largest sharpness times
 * monotonicity. Heads of earlier layers can be sharper, but often point at where the token *before* came from:
 * that is what they have read so far. Start and end symbols are left out on both sides; sharpness still counts
 * against what they were given.
 */
export function pickHead(cross: AttentionMaps, source: readonly Token[], target: readonly Token[]): Picked {
  const [layers, heads] = cross.shape;
  const layer = layers - 1;
  let best: Picked | null = null;
  for (let head = 0; layer >= 0 && head < heads; head++) {
    const found = { layer, head, ...alignmentOf(weightsOf(cross, layer, head), source, target) };
    if (!best || found.sharpness * found.monotonicity > best.sharpness * best.monotonicity) best = found;
  }
  if (!best) throw new RangeError('no cross-attention heads');
  return best;
}

export function alignmentOf(
  matrix: Matrix,
  source: readonly Token[],
  target: readonly Token[],
): Pick<Picked, 'sharpness' | 'monotonicity'> {
  const rows = textOf(target);
  const columns = textOf(source);
  if (rows.length === 0 || columns.length === 0) return { sharpness: 0, monotonicity: 0 };
  let sharpness = 0;
  const centres: number[] = [];
  for (const i of rows) {
    let largest = 0;
    let sum = 0;
    let moment = 0;
    for (const j of columns) {
      const weight = matrix.weights[i * matrix.columns + j]!;
      largest = Math.max(largest, weight);
      sum += weight;
      moment += weight * j;
    }
    sharpness += largest / rows.length;
    centres.push(sum > 0 ? moment / sum : 0);
  }
  // One token is in order whatever it looks at.
  const order = rows.length === 1 ? 1 : (spearman(rows, centres) ?? 0);
  return { sharpness, monotonicity: Math.max(0, order) };
}

function textOf(tokens: readonly Token[]): number[] {
  return tokens.flatMap((token, i) => (isSpecial(token) ? [] : [i]));
}

export type Pattern = 'previous' | 'next' | 'same' | 'start' | 'end' | 'separator' | 'aligned';
export type Role = Pattern | 'spread' | 'mixed';

export interface HeadRole {
  role: Role;
  /** Share of the head's attention that each pattern explains: mean over the text's query tokens. */
  shares: Partial<Record<Pattern, number>>;
  /** Mean entropy of the rows over the largest possible: 1 looks everywhere alike. */
  spread: number;
}

/** A pattern names a head that gives it at least this share ... */
export const kShare = 0.4;
/** ... and at least this many times what even attention would give it. */
export const kOverEven = 2;
/** A head no pattern names is "spread" from this mean entropy on. */
export const kSpread = 0.8;
/** An aligned head looks at this share of the words it could tell apart. */
export const kDistinct = 0.5;

const isSeparator = (token: Token | undefined) =>
  token !== undefined && /^[▁\s]*[\p{P}\p{S}]+$/u.test(token.piece);

interface HeadInput {
  stack: 'encoder' | 'decoder' | 'cross';
  source: readonly Token[];
  target: readonly Token[];
  /** Words of what the queries are: source for the encoder, target for the decoder. */
  words: readonly Span[];
}

/** What one head does on this sentence: the pattern that gathers most of its attention. */
export function roleOf(matrix: Matrix, { stack, source, target, words }: HeadInput): HeadRole {
  const queries = stack === 'encoder' ? source : target;
  const rows = textOf(queries).filter((row) => stack !== 'decoder' || row > 0);
  // The decoder's key j is the start symbol for j = 0, then target token j - 1.
  const tokenOf = (key: number) => (stack === 'decoder' ? target[key - 1] : source[key]);
  const wordAt = new Int32Array(queries.length);
  for (const [index, { begin, end }] of words.entries()) wordAt.fill(index, begin, end);

  const gathers: Partial<Record<Pattern, (row: number, key: number) => boolean>> = {};
  if (stack === 'decoder') {
    gathers.start = (_, key) => key === 0;
    gathers.previous = (row, key) => key === row;
    gathers.same = (row, key) => key > 0 && wordAt[key - 1] === wordAt[row];
  } else {
    gathers.end = (_, key) => isSpecial(source[key]!);
  }
  if (stack === 'encoder') {
    gathers.previous = (row, key) => key === row - 1;
    gathers.next = (row, key) => key === row + 1 && !isSpecial(source[key]!);
    gathers.same = (row, key) => wordAt[key] === wordAt[row];
  }
  gathers.separator = (row, key) => isSeparator(tokenOf(key)) && !isSeparator(queries[row]);

  const shares: Partial<Record<Pattern, number>> = {};
  const even: Partial<Record<Pattern, number>> = {};
  const keysOf = (row: number) => (stack === 'decoder' ? row + 1 : matrix.columns);
  for (const [pattern, gathered] of Object.entries(gathers) as [Pattern, (r: number, k: number) => boolean][]) {
    let share = 0;
    let evenly = 0;
    for (const row of rows) {
      const keys = keysOf(row);
      for (let key = 0; key < keys; key++) {
        if (!gathered(row, key)) continue;
        share += matrix.weights[row * matrix.columns + key]!;
        evenly += 1 / keys;
      }
    }
    shares[pattern] = rows.length > 0 ? share / rows.length : 0;
    even[pattern] = rows.length > 0 ? evenly / rows.length : 0;
  }
  if (stack === 'cross') {
    const { sharpness } = alignmentOf(matrix, source, target);
    const looked = new Set(rows.map((row) => largestIn(matrix, row, textOf(source))));
    const possible = Math.min(rows.length, textOf(source).length);
    shares.aligned = looked.size >= kDistinct * possible ? sharpness : 0;
    even.aligned = 1 / matrix.columns;
  }

  let spread = 0;
  for (const row of rows) {
    const keys = keysOf(row);
    const whole = entropy(matrix.weights.subarray(row * matrix.columns, row * matrix.columns + keys));
    spread += keys > 1 ? whole / Math.log2(keys) / rows.length : 0;
  }
  let role: Role = spread >= kSpread ? 'spread' : 'mixed';
  let most = 0;
  for (const [pattern, share] of Object.entries(shares) as [Pattern, number][]) {
    if (share >= kShare && share >= kOverEven * even[pattern]! && share > most) {
      role = pattern;
      most = share;
    }
  }
  return { role, shares, spread };
}

function largestIn(matrix: Matrix, row: number, columns: readonly number[]): number {
  let best = columns[0] ?? 0;
  for (const column of columns) {
    if (matrix.weights[row * matrix.columns + column]! > matrix.weights[row * matrix.columns + best]!) best = column;
  }
  return best;
}

// --- Leave one word out --------------------------------------------------------------------------

/** The sentence without the text of each word in turn; null for symbols of the model, and where
 * nothing would be left. */
export function withoutEachWord(text: string, tokens: readonly Token[], words: readonly Span[]): (string | null)[] {
  return words.map(({ begin, end }) => {
    const first = tokens[begin]!;
    if (isSpecial(first)) return null;
    // The spaces before it go with it.
    const left = (text.slice(0, first.begin).trimEnd() + text.slice(tokens[end - 1]!.end)).trimStart();
    return left.trim() === '' ? null : left;
  });
}

/**
 * How much less likely each target word becomes, in nats: the sum over its pieces of
 * log p(piece | all) - log p(piece | source without one word). Both probabilities are per target token.
 */
export function drops(whole: ArrayLike<number>, without: ArrayLike<number>, words: readonly Span[]): number[] {
  const kLeast = 1e-30; // what single precision still tells from 0
  return words.map(({ begin, end }) => {
    let sum = 0;
    for (let i = begin; i < end; i++) {
      sum += Math.log(Math.max(kLeast, whole[i]!)) - Math.log(Math.max(kLeast, without[i]!));
    }
    return sum;
  });
}
