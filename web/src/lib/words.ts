// Tokens put together into words, which is what people read.

import type { Explanation, Token } from './engine';

export interface Word {
  text: string;
  /** UTF-16 offsets into the side's text. */
  begin: number;
  end: number;
  /** Its tokens: indices from `first` up to but without `last`. */
  first: number;
  last: number;
}

export interface WordLink {
  source: number;
  target: number;
  /** The greatest of the links between their tokens. */
  weight: number;
}

export interface Words {
  source: Word[];
  target: Word[];
  alignment: WordLink[];
}

export function wordsOf(explanation: Explanation, sourceLanguage: string, targetLanguage: string): Words {
  const source = group(explanation.source.text, explanation.source.tokens, sourceLanguage);
  const target = group(explanation.target.text, explanation.target.tokens, targetLanguage);
  const links = new Map<string, WordLink>();
  const wordOf = (words: Word[], token: number) =>
    words.findIndex(({ first, last }) => token >= first && token < last);
  for (const link of explanation.alignment) {
    const found = { source: wordOf(source, link.source), target: wordOf(target, link.target) };
    if (found.source < 0 || found.target < 0) continue; // the end symbol is no word
    const key = `${found.source} ${found.target}`;
    const known = links.get(key);
    if (known) known.weight = Math.max(known.weight, link.weight);
    else links.set(key, { ...found, weight: link.weight });
  }
  return { source, target, alignment: [...links.values()] };
}

/** A word begins at a token where white space was before it or the language has a word boundary. */
export function group(text: string, tokens: Token[], language: string): Word[] {
  const boundaries = boundariesOf(text, language);
  const words: Word[] = [];
  for (const [i, token] of tokens.entries()) {
    // A piece may hold the white space before its word; the word does not.
    const space = /^\s*/u.exec(text.slice(token.begin, token.end))![0].length;
    const begin = token.begin + space;
    if (begin >= token.end) continue; // the end symbol, or white space alone
    const word = words.at(-1);
    const gap = word === undefined || begin > word.end || space > 0;
    if (!gap && !boundaries.has(begin)) {
      word.end = token.end;
      word.last = i + 1;
    } else {
      words.push({ text: '', begin, end: token.end, first: i, last: i + 1 });
    }
  }
  for (const word of words) word.text = text.slice(word.begin, word.end);
  return words;
}

function boundariesOf(text: string, language: string): Set<number> {
  if (typeof Intl.Segmenter !== 'function') {
    // Where the platform cannot tell, every character of a script without spaces is a word.
    return new Set([...text.matchAll(/[\p{Script=Han}\p{P}]/gu)].flatMap(({ index, 0: c }) => [index, index + c.length]));
  }
  const segments = new Intl.Segmenter(language, { granularity: 'word' }).segment(text);
  return new Set(Array.from(segments, ({ index }) => index));
}
