// Numbers and names as the page writes them.

import { language } from './i18n';

/** Decimal units, one digit where it tells something: "812 bytes", "9.4 kB", "12.1 MB". */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} bytes`;
  const [value, unit] = bytes < 999_950 ? [bytes / 1e3, 'kB'] : [bytes / 1e6, 'MB'];
  return `${value.toFixed(1)} ${unit}`;
}

export function formatMilliseconds(milliseconds: number): string {
  if (milliseconds < 1) return 'under 1 ms';
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  return `${(milliseconds / 1000).toFixed(1)} s`;
}

/** Four decimals; what would read 0.0000 without being zero keeps two significant digits instead. */
export function formatWeight(weight: number): string {
  if (weight === 0) return '0';
  return weight < 0.00005 ? weight.toExponential(1) : weight.toFixed(4);
}

/** What a model's index entry says of its test sets, e.g. "tatoeba 26.6 BLEU"; the rest is the card's. */
export function formatScores(scores: Record<string, unknown>): string[] {
  return Object.entries(scores).flatMap(([set, value]) => {
    const bleu = (value as { bleu?: unknown } | null)?.bleu;
    return typeof bleu === 'number' ? [`${set} ${bleu.toFixed(1)} BLEU`] : [];
  });
}

/** The name of a language in the language of the page. */
export function languageName(tag: string): string {
  try {
    return new Intl.DisplayNames([language()], { type: 'language' }).of(tag) ?? tag;
  } catch {
    return tag;
  }
}
