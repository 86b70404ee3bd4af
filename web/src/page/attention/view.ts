// From an Explanation to the one table of weights that is on the screen. No DOM here.

import type { Explanation, Token } from '../../lib/engine';
import {
  crossRollout,
  type Head,
  isSpecial,
  joinWords,
  type Layer,
  type Matrix,
  pickHead,
  type Picked,
  rollout,
  type RowScale,
  scaleRows,
  select,
  type Span,
  weightsOf,
  wordsOf,
} from './analysis';

export type Stack = 'encoder' | 'decoder' | 'cross';
export const kStacks: readonly Stack[] = ['encoder', 'decoder', 'cross'];
export type Unit = 'words' | 'pieces';

/** Which weights: a head, a summary over heads, or the rollout up to a layer. */
export interface Choice {
  stack: Stack;
  layer: Layer;
  head: Head | 'rollout';
}

/** How they are read. */
export interface Reading {
  unit: Unit;
  /** Leaves out the end of sentence, as query and as key. */
  hideEnd: boolean;
  scale: RowScale;
}

/** An explanation with its words and the cross head that reads most like an alignment. */
export interface Explained {
  explanation: Explanation;
  sourceWords: Span[];
  targetWords: Span[];
  picked: Picked;
}

export interface Label {
  /** What to read: the text without SentencePiece's mark for a space. */
  text: string;
  /** A piece that begins a new word, as SentencePiece writes it with ▁. */
  space: boolean;
  /** Start and end of sentence: symbols of the model, not of the text. */
  special: boolean;
  /** Tokens it stands for, of its own sentence; the start symbol is [-1, 0). */
  tokens: Span;
}

export interface View {
  choice: Choice;
  unit: Unit;
  rows: Label[];
  columns: Label[];
  /** [rows, columns], row-major. */
  weights: Float32Array;
  /** The decoder may not look at what it has not written yet. */
  masked: (row: number, column: number) => boolean;
}

export function explained(
  explanation: Explanation,
  languages: { source?: string | undefined; target?: string | undefined } = {},
): Explained {
  const { source, target, cross } = explanation;
  return {
    explanation,
    sourceWords: wordsOf(source.text, source.tokens, languages.source),
    targetWords: wordsOf(target.text, target.tokens, languages.target),
    picked: pickHead(cross, source.tokens, target.tokens),
  };
}

const kStart: Label = { text: 'start', space: false, special: true, tokens: { begin: -1, end: 0 } };

export function labelOf(token: Token, index = 0): Label {
  const tokens = { begin: index, end: index + 1 };
  if (isSpecial(token)) return { text: 'end', space: false, special: true, tokens };
  const space = token.piece.startsWith('▁');
  return { text: space ? token.piece.slice(1) : token.piece, space, special: false, tokens };
}

/** A word as the text writes it. */
function wordLabel(text: string, tokens: readonly Token[], span: Span): Label {
  const first = tokens[span.begin]!;
  if (isSpecial(first)) return labelOf(first, span.begin);
  const written = text.slice(first.begin, tokens[span.end - 1]!.end).trim();
  return { text: written, space: false, special: false, tokens: span };
}

/** Labels of a sentence's words or pieces. */
export function labelsOf({ text, tokens }: Explanation['source'], words: readonly Span[], unit: Unit): Label[] {
  return unit === 'pieces'
    ? tokens.map((token, i) => labelOf(token, i))
    : words.map((span) => wordLabel(text, tokens, span));
}

/** [queries, keys] in pieces. */
export function matrixOf(explanation: Explanation, { stack, layer, head }: Choice): Matrix {
  if (head !== 'rollout') return weightsOf(explanation[stack], layer, head);
  return stack === 'cross' ? crossRollout(explanation, layer) : rollout(explanation[stack], layer);
}

export function viewOf(
  { explanation, sourceWords, targetWords }: Explained,
  choice: Choice,
  { unit, hideEnd, scale }: Reading,
): View {
  const source = labelsOf(explanation.source, sourceWords, unit);
  const target = labelsOf(explanation.target, targetWords, unit);
  let rows = choice.stack === 'encoder' ? source : target;
  let columns = choice.stack === 'decoder' ? [kStart, ...keysBefore(target)] : source;
  let matrix = matrixOf(explanation, choice);
  // The decoder's key k is the start symbol for k = 0, then target token k - 1.
  const shift = choice.stack === 'decoder' ? 1 : 0;
  if (unit === 'words') {
    const keys = columns.map(({ tokens: { begin, end } }) => ({ begin: begin + shift, end: end + shift }));
    matrix = joinWords(matrix, rows.map((row) => row.tokens), keys);
  }
  if (hideEnd) {
    const kept = (labels: readonly Label[]) =>
      labels.flatMap(({ special, tokens }, i) => (special && tokens.begin >= 0 ? [] : [i]));
    const [keptRows, keptColumns] = [kept(rows), kept(columns)];
    matrix = select(matrix, keptRows, keptColumns);
    rows = keptRows.map((i) => rows[i]!);
    columns = keptColumns.map((i) => columns[i]!);
  }
  const masked =
    choice.stack === 'decoder'
      ? (row: number, column: number) => columns[column]!.tokens.begin + 1 > rows[row]!.tokens.end - 1
      : () => false;
  return { choice, unit, rows, columns, weights: scaleRows(matrix, scale).weights, masked };
}

/** What the decoder has read when it writes the last token: all but that token. */
function keysBefore(target: readonly Label[]): Label[] {
  const last = target.at(-1);
  if (!last) return [];
  const { begin, end } = last.tokens;
  const kept = target.slice(0, -1);
  return end - begin > 1 ? [...kept, { ...last, tokens: { begin, end: end - 1 } }] : kept;
}

/** The sentence a caret at `offset` stands in or behind; the first when it stands before them all. */
export function sentenceAt(
  sentences: readonly { source: { begin: number } }[],
  offset: number,
): number {
  let found = 0;
  for (const [index, sentence] of sentences.entries()) {
    if (sentence.source.begin <= offset) found = index;
  }
  return found;
}
