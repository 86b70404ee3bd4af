// From an Explanation to the one matrix that is on the screen. No DOM here.

import type { AttentionMaps, Explanation, Token } from '../lib/engine';

export type Stack = 'encoder' | 'decoder' | 'cross';
export const kStacks: readonly Stack[] = ['encoder', 'decoder', 'cross'];

/** A head by number, or the mean of them all. */
export type Head = number | 'mean';

export interface Label {
  /** What to read: the piece without SentencePiece's mark for a space. */
  text: string;
  /** The piece begins a new word, as SentencePiece writes it with ▁. */
  space: boolean;
  /** Start and end of sentence: symbols of the model, not of the text. */
  special: boolean;
}

export interface View {
  stack: Stack;
  rows: Label[];
  columns: Label[];
  /** [rows, columns], row-major. */
  weights: Float32Array;
  /** The decoder may not look at what it has not written yet. */
  masked: (row: number, column: number) => boolean;
}

export const kStart: Label = { text: 'start', space: false, special: true };

export function labelOf(token: Token): Label {
  if (token.piece === '</s>') return { text: 'end', space: false, special: true };
  const space = token.piece.startsWith('▁');
  const text = space ? token.piece.slice(1) : token.piece;
  return { text, space, special: false };
}

/** Layers and heads are counted from 0 here and from 1 on the screen. */
export function viewOf(explanation: Explanation, stack: Stack, layer: number, head: Head): View {
  const source = explanation.source.tokens.map(labelOf);
  const target = explanation.target.tokens.map(labelOf);
  const weights = weightsOf(explanation[stack], layer, head);
  const open = () => false;
  switch (stack) {
    case 'encoder':
      return { stack, rows: source, columns: source, weights, masked: open };
    case 'cross':
      return { stack, rows: target, columns: source, weights, masked: open };
    case 'decoder':
      return {
        stack,
        rows: target,
        columns: [kStart, ...target.slice(0, -1)],
        weights,
        masked: (row, column) => column > row,
      };
  }
}

/** [queries, keys] of one head, or the mean over all heads of the layer. */
export function weightsOf(maps: AttentionMaps, layer: number, head: Head): Float32Array {
  const [layers, heads, queries, keys] = maps.shape;
  if (layer < 0 || layer >= layers || (head !== 'mean' && (head < 0 || head >= heads))) {
    throw new RangeError(`no layer ${layer}, head ${head} among ${layers} layers of ${heads} heads`);
  }
  const size = queries * keys;
  const at = (h: number) => (layer * heads + h) * size;
  if (head !== 'mean') return maps.weights.subarray(at(head), at(head) + size);
  const mean = new Float32Array(size);
  for (let i = 0; i < size; i++) {
    let sum = 0;
    for (let h = 0; h < heads; h++) sum += maps.weights[at(h) + i]!;
    mean[i] = sum / heads;
  }
  return mean;
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
