// Fixed terms: this word of the source always becomes that one. No DOM here.
//
// A term is forced, not pasted in: attention tells where the sentence's translation has the word, the
// decoder is made to write the term there, and goes on from it by itself, so that what follows agrees.
// The word before (an article, an adjective) is tried in the model's best few forms. Of all the sentences
// this gives, and the one with the term simply put in its place, the most probable one stays.

import type { Client } from '../../lib/client';
import type { Explanation, Token } from '../../lib/engine';
import { isWordLike, wordsOf } from './words';

export interface Term {
  source: string;
  target: string;
  /** Upper and lower case have to be the same. */
  exact: boolean;
}

/** Terms of a direction, as "en-de". */
export type Glossary = Record<string, Term[]>;

export function isGlossary(value: unknown): value is Glossary {
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.values(value).every(
      (terms) =>
        Array.isArray(terms) &&
        terms.every((term) => typeof term?.source === 'string' && typeof term?.target === 'string'),
    )
  );
}

/** Forms of the word before the term that are tried. */
const kForms = 5;

export interface Languages {
  source: string;
  target: string;
}

/** Where `term` stands in `sentence`: whole words, where the script has spaces between them. */
export function occurrences(sentence: string, term: string, exact: boolean): { begin: number; end: number }[] {
  const escaped = term.trim().replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/\s+/g, '\\s+');
  if (escaped === '') return [];
  // Han, kana and Thai run together: there a word has no edge to look for.
  const edge = (character: string) => !/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\P{L}]/u.test(character);
  const trimmed = term.trim();
  const before = edge(trimmed[0]!) ? '(?<![\\p{L}\\p{N}])' : '';
  const after = edge(trimmed.at(-1)!) ? '(?![\\p{L}\\p{N}])' : '';
  const pattern = new RegExp(before + escaped + after, exact ? 'gu' : 'giu');
  return [...sentence.matchAll(pattern)].map((match) => ({ begin: match.index, end: match.index + match[0].length }));
}

/** The same translation with every term that occurs in the source as the glossary has it. */
export async function applyTerms(
  client: Client,
  { source, target, terms, languages, signal }: {
    source: string;
    target: string;
    terms: readonly Term[];
    languages: Languages;
    signal: AbortSignal;
  },
): Promise<string> {
  // Longer terms first: "data set" before "set".
  const inOrder = [...terms].sort((a, b) => b.source.length - a.source.length);
  for (const term of inOrder) {
    const places = occurrences(source, term.source, term.exact);
    for (const place of places) {
      if (occurrences(target, term.target, true).length >= places.length) break;
      target = await force(client, { source, target, term, place, languages, signal });
    }
  }
  return target;
}

async function force(
  client: Client,
  { source, target, term, place, languages, signal }: {
    source: string;
    target: string;
    term: Term;
    place: { begin: number; end: number };
    languages: Languages;
    signal: AbortSignal;
  },
): Promise<string> {
  const options = { signal, lane: 'glossary' };
  const explanation = await client.explain(source, { ...options, target, candidates: kForms });
  const words = wordsOf(explanation, languages.source, languages.target);
  const from = new Set(
    [...words.source.entries()].filter(([, { begin, end }]) => begin < place.end && end > place.begin).map(([i]) => i),
  );
  const like = (i: number) => isWordLike(target.slice(words.target[i]!.begin, words.target[i]!.end));
  const linked = [...words.target.keys()].filter((i) => like(i) && words.links[i]!.some((j) => from.has(j)));
  if (linked.length === 0) return target;
  // One run of words; what lies elsewhere came from it by accident. The run's last word is its head
  // where an article or a preposition attends to the noun behind it.
  const runs: number[][] = [];
  for (const i of linked) {
    const run = runs.at(-1);
    if (run && i === run.at(-1)! + 1) run.push(i);
    else runs.push([i]);
  }
  const hypotheses = new Map<string, number>();
  const keep = (text: string, tokens: readonly Token[]) => {
    if (occurrences(text, term.target, false).length > 0) hypotheses.set(text, likelihood(tokens));
  };
  for (const run of runs.slice(0, 2)) {
    for (const first of new Set([run[0]!, run.at(-1)!])) {
      const last = run.at(-1)!;
      const { begin } = words.target[first]!;
      const { end } = words.target[last]!;
      const written = first === 0 ? capital(term.target, target) : term.target;
      const pasted = target.slice(0, begin) + written + target.slice(end);
      // How the vocabulary spells the term here, and how probable it is simply put in.
      const spelled: Explanation = await client.explain(source, { ...options, target: pasted });
      keep(pasted, spelled.target.tokens);
      const termTokens = spelled.target.tokens.filter((token) => overlaps(token, begin, begin + written.length));
      const start = spelled.target.tokens.indexOf(termTokens[0]!);
      if (start < 0) continue;
      const ids = (tokens: readonly Token[]) => tokens.map(({ id }) => id);
      const forced = ids(termTokens);
      const before = ids(spelled.target.tokens.slice(0, start));
      const prefixes = [[...before, ...forced]];
      const previous = words.target[first - 1];
      if (previous && previous.last - previous.first === 1) {
        for (const { id, piece } of explanation.steps[previous.first]?.candidates ?? []) {
          if (piece !== '</s>' && id !== explanation.target.tokens[previous.first]!.id) {
            prefixes.push([...ids(explanation.target.tokens.slice(0, previous.first)), id, ...forced]);
          }
        }
      }
      for (const { text, tokens } of await client.continuations(source, prefixes, options)) keep(text, tokens);
    }
  }
  let best = target;
  let most = -Infinity;
  for (const [text, value] of hypotheses) {
    if (value > most) [best, most] = [text, value];
  }
  return best;
}

function overlaps(token: Token, begin: number, end: number): boolean {
  return token.end > begin && token.begin < end && token.end > token.begin;
}

/** Mean log-probability of a token. */
function likelihood(tokens: readonly Token[]): number {
  return tokens.reduce((sum, { probability }) => sum + Math.log(Math.max(probability ?? 1, 1e-9)), 0) / tokens.length;
}

/** A sentence's first word has a capital where the one it replaces had one. */
function capital(term: string, sentence: string): string {
  return /^\p{Lu}/u.test(sentence) ? term[0]!.toUpperCase() + term.slice(1) : term;
}

