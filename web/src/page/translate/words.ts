// Words of a sentence and its translation with what the page shows of them: how sure the model was, and
// which words of the source each came from. No DOM here.

import type { Explanation, Token } from '../../lib/engine';
import { group, type Word as PlainWord, wordsOf as plainWordsOf } from '../../lib/words';

export interface Word extends PlainWord {
  /** Given the words before it: the product over its pieces. */
  probability: number;
}

export interface Words {
  source: PlainWord[];
  target: Word[];
  /** For each word of the translation the words of the source it came from. */
  links: number[][];
}

/** Source words of less than this share of the strongest one's weight are not its origin. */
const kShare = 0.5;

export function wordsOf(explanation: Explanation, sourceLanguage: string, targetLanguage: string): Words {
  const { source, target, alignment } = plainWordsOf(explanation, sourceLanguage, targetLanguage);
  const links = target.map((_, i) => {
    const own = alignment.filter((link) => link.target === i);
    const most = Math.max(...own.map(({ weight }) => weight));
    return own.filter(({ weight }) => weight >= kShare * most).map((link) => link.source).sort((a, b) => a - b);
  });
  return { source, target: target.map((word) => withProbability(word, explanation.target.tokens)), links };
}

/** The word that token `at` of a translation belongs to; undefined for the end symbol. */
export function wordAt(text: string, tokens: readonly Token[], at: number, language: string): Word | undefined {
  const found = group(text, [...tokens], language).find(({ first, last }) => first <= at && at < last);
  return found && withProbability(found, tokens);
}

function withProbability(word: PlainWord, tokens: readonly Token[]): Word {
  const pieces = tokens.slice(word.first, word.last);
  return { ...word, probability: pieces.reduce((product, { probability = 1 }) => product * probability, 1) };
}

/** A number, a name, a word: not only punctuation. */
export function isWordLike(text: string): boolean {
  return /[\p{L}\p{N}]/u.test(text);
}
