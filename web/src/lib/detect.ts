// Which languages a text is written in. Scripts of one language tell by themselves; for the letters that
// several share, eld's table of byte n-grams decides (the build keeps our languages' part of it).

import { eld } from 'eld/extrasmall';

/** The languages we translate and the twenty most common others. */
export const kDetected = [
  'zh', 'en', 'de',
  'ar', 'cs', 'el', 'es', 'fa', 'fr', 'he', 'hi', 'it', 'ja', 'ko', 'nl', 'pl', 'pt', 'ru', 'sv', 'th', 'tr',
  'uk', 'vi',
] as const; // prettier-ignore

/** Scripts, and the language each is written in where there is but one of ours. */
const kScripts = [
  ['Latn', /\p{Script=Latin}/u],
  ['Cyrl', /\p{Script=Cyrillic}/u],
  ['Arab', /\p{Script=Arabic}/u],
  ['zh', /\p{Script=Han}/u],
  ['ja', /[\p{Script=Hiragana}\p{Script=Katakana}]/u],
  ['ko', /\p{Script=Hangul}/u],
  ['el', /\p{Script=Greek}/u],
  ['he', /\p{Script=Hebrew}/u],
  ['hi', /\p{Script=Devanagari}/u],
  ['th', /\p{Script=Thai}/u],
] as const; // prettier-ignore

const kShared: Record<string, readonly string[]> = {
  Latn: ['en', 'de', 'cs', 'es', 'fr', 'it', 'nl', 'pl', 'pt', 'sv', 'tr', 'vi'],
  Cyrl: ['ru', 'uk'],
  Arab: ['ar', 'fa'],
};

/** Longer texts are judged by as many of their first characters. */
const kMostCharacters = 2_000;

/** A logographic character says about as much as two letters. */
const weightOf = (script: string) => (script === 'zh' || script === 'ja' || script === 'ko' ? 2 : 1);

/**
 * The share of the text that each language has, best first, without those of none; `unknown` is the
 * share of none of them. Together they are 1.
 */
export function detect(text: string): { languages: [language: string, confidence: number][]; unknown: number } {
  const parts = new Map<string, { weight: number; text: string }>();
  let foreign = 0;
  for (const character of Array.from(text.slice(0, kMostCharacters).normalize('NFC'))) {
    const script = kScripts.find(([, pattern]) => pattern.test(character))?.[0];
    if (script) {
      const part = parts.get(script) ?? { weight: 0, text: '' };
      part.weight += weightOf(script);
      part.text += character;
      parts.set(script, part);
    } else if (/\p{L}/u.test(character)) {
      foreign++;
    } else {
      // What separates words separates them in every part.
      for (const part of parts.values()) part.text += ' ';
    }
  }
  // Japanese is written with both; a text with kana in it is not partly Chinese.
  const [han, kana] = [parts.get('zh'), parts.get('ja')];
  if (han && kana && kana.weight * 8 >= han.weight) {
    kana.weight += han.weight;
    parts.delete('zh');
  }
  const total = foreign + [...parts.values()].reduce((sum, { weight }) => sum + weight, 0);
  if (total === 0) return { languages: [], unknown: 1 };
  const shares = new Map<string, number>();
  let known = 0;
  for (const [script, part] of parts) {
    const share = part.weight / total;
    for (const [language, confidence] of ofScript(script, part.text)) {
      shares.set(language, (shares.get(language) ?? 0) + share * confidence);
      known += share * confidence;
    }
  }
  return {
    languages: [...shares].filter(([, value]) => value > 0).sort((a, b) => b[1] - a[1]),
    unknown: Math.max(0, 1 - known),
  };
}

/** Confidences of the languages of one script: together below 1, the more so the shorter the text. */
function ofScript(script: string, text: string): [string, number][] {
  const letters = text.replace(/ /g, '').length;
  const languages = kShared[script];
  // One character of a script of its own is sure of its language; of Latin letters it takes a few words.
  if (!languages) return [[script, 1 - 0.3 / (1 + letters)]];
  eld.setLanguageSubset([...languages]);
  const scores = Object.entries(eld.detect(text).getScores());
  if (scores.length === 0) return [];
  // The scores are averages over n-grams: the same lead means more in a longer text.
  const steepness = 12 * Math.sqrt(Math.min(letters, 200));
  const top = Math.max(...scores.map(([, score]) => score));
  const weights = scores.map(([language, score]) => [language, Math.exp(steepness * (score - top))] as const);
  const sum = weights.reduce((total, [, weight]) => total + weight, 0);
  const sure = (letters / (letters + 2)) * Math.min(1, top / 0.5);
  return weights.map(([language, weight]) => [language, (sure * weight) / sum]);
}
