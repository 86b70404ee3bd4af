// Names of what the views show, in the interface's language.

import { messages } from '../i18n';
import { formatWeight } from '../format';
import type { Cell } from './layout';
import type { Label, View } from './view';

const text = messages({
  en: { start: 'start', end: 'end', masked: 'masked' },
  de: { start: 'Anfang', end: 'Ende', masked: 'verdeckt' },
  zh: { start: '开始', end: '结束', masked: '被遮蔽' },
});

/** A word as the screen names it: symbols of the model in the interface's language. */
export function nameOf(label: Label): string {
  if (label.special) return label.tokens.begin < 0 ? text().start : text().end;
  return label.text === '' ? '▁' : label.text;
}

export function maskedName(): string {
  return text().masked;
}

/** "狗 → dog 0.8312": from the token looked at to the token that looks. */
export function describe(view: View, { row, column }: Cell): string {
  const weight = view.weights[row * view.columns.length + column]!;
  const value = view.masked(row, column) ? text().masked : formatWeight(weight);
  return `${nameOf(view.columns[column]!)} → ${nameOf(view.rows[row]!)} ${value}`;
}
