// Where the words and links of "Words linked" are, in CSS pixels. No DOM here.
//
// Cross-attention: source words in a line above, target words below, links between. Self-attention: one
// line; a link to an earlier word is an arc above it, to a later one an arc below, to itself a loop.

import { colourOf, type Theme, type Tokens } from './colour';
import { formatWeight } from '../format';
import { nameOf } from './format';
import type { Curve, Line, Scene, Shape } from './scene';
import type { Label, View } from './view';

export interface Word {
  label: Label;
  x: number;
  y: number;
  width: number;
  /** Above the links or below them; what its number stands at. */
  side: 'above' | 'below';
  /** Its row and column of the view, -1 where it has none. */
  row: number;
  column: number;
}

export interface Lines {
  width: number;
  height: number;
  /** Of the words' font. */
  size: number;
  wordHeight: number;
  words: Word[];
  /** Indices into words. */
  wordOfRow: number[];
  wordOfColumn: number[];
  self: boolean;
}

/** Links below this weight would not be seen and are not drawn. */
export const kFaintest = 0.005;
const kLargestSize = 21;
const kSmallestSize = 14;
const kPadding = 14;
const kGap = 6;
const kWidestGap = 64;
/** Room for the numbers that stand beside words pointed at. */
const kNumbers = 22;

interface Input {
  available: number;
  /** Widths of the texts at 1 px. */
  measure: (texts: readonly string[]) => number[];
}

export function layLines(view: View, { available, measure }: Input): Lines {
  const self = view.choice.stack !== 'cross';
  // The decoder's line begins with the start symbol, which is a key but no query.
  const start = view.choice.stack === 'decoder' ? 1 : 0;
  const lines = self ? [[...view.columns.slice(0, start), ...view.rows]] : [view.columns, view.rows];
  const units = lines.map((labels) => measure(labels.map(nameOf)));
  const natural = (size: number) =>
    Math.max(
      ...units.map((widths) => widths.reduce((sum, width) => sum + width * size + kPadding + kGap, -kGap)),
    );
  let size = kLargestSize;
  while (size > kSmallestSize && natural(size) > available) size -= 0.5;
  const needed = natural(size);
  // A short sentence is let out a little, a long one scrolls.
  const width = Math.max(available, needed);
  const spread = Math.min(width, needed * 1.6);
  const wordHeight = Math.round(size * 1.7);
  const placed = units.map((widths) => {
    const boxes = widths.map((unit) => unit * size + kPadding);
    const whole = boxes.reduce((a, b) => a + b, 0);
    const gap = boxes.length > 1 ? Math.min(kWidestGap, (spread - whole) / (boxes.length - 1)) : 0;
    let x = (width - whole - gap * (boxes.length - 1)) / 2;
    return boxes.map((box) => {
      const at = { x, width: box };
      x += box + gap;
      return at;
    });
  });

  let height: number;
  let ys: number[];
  if (self) {
    const reach = Math.min(190, Math.max(70, needed * 0.22));
    const below = view.choice.stack === 'encoder' ? reach : kNumbers;
    ys = [reach + kNumbers];
    height = ys[0]! + wordHeight + below + kNumbers;
  } else {
    const between = Math.min(300, Math.max(150, needed * 0.22));
    ys = [kNumbers, kNumbers + wordHeight + between];
    height = ys[1]! + wordHeight + kNumbers;
  }
  const words = lines.flatMap((labels, line) =>
    labels.map((label, i): Word => ({
      label,
      ...placed[line]![i]!,
      y: ys[line]!,
      side: self || line === 0 ? 'above' : 'below',
      row: self ? i - start : line === 0 ? -1 : i,
      column: self ? (i < view.columns.length ? i : -1) : line === 0 ? i : -1,
    })),
  );
  const offset = self ? 0 : view.columns.length;
  return {
    width,
    height,
    size,
    wordHeight,
    words,
    wordOfRow: view.rows.map((_, i) => i + (self ? start : offset)),
    wordOfColumn: view.columns.map((_, j) => j),
    self,
  };
}

export interface Link {
  row: number;
  column: number;
  weight: number;
  points: Curve;
}

export function linkAt(lines: Lines, view: View, row: number, column: number): Link {
  const from = lines.words[lines.wordOfColumn[column]!]!;
  const to = lines.words[lines.wordOfRow[row]!]!;
  const weight = view.weights[row * view.columns.length + column]!;
  return { row, column, weight, points: lines.self ? arc(from, to, lines) : drop(from, to, lines) };
}

function drop(from: Word, to: Word, { wordHeight }: Lines): Curve {
  const [x0, y0] = [from.x + from.width / 2, from.y + wordHeight];
  const [x1, y1] = [to.x + to.width / 2, to.y];
  const bend = (y1 - y0) * 0.5;
  return [x0, y0, x0, y0 + bend, x1, y1 - bend, x1, y1];
}

function arc(from: Word, to: Word, { wordHeight, words, height }: Lines): Curve {
  const back = from.x <= to.x;
  // Query ends and key ends stand a little apart, so that a word's two kinds of arcs can be told.
  const [x0, x1] = [from.x + from.width / 2 + (back ? 3 : -3), to.x + to.width / 2 + (back ? -3 : 3)];
  const room = back ? words[0]!.y - kNumbers : height - words[0]!.y - wordHeight - kNumbers;
  const y = back ? words[0]!.y : words[0]!.y + wordHeight;
  if (from === to) {
    const x = from.x + from.width / 2;
    return [x - 7, y, x - 18, y - 34, x + 18, y - 34, x + 7, y];
  }
  // Longer arcs rise higher, the longest to the edge: none lies on another. A curve reaches three
  // quarters of its control points' height.
  const longest = words.at(-1)!.x - words[0]!.x;
  const rise = (room * (Math.abs(x1 - x0) / Math.max(1, longest)) ** 0.7) / 0.75;
  const bend = back ? y - rise : y + rise;
  return [x0, y, x0, bend, x1, bend, x1, y];
}

/** Links worth drawing, faintest first, so that strong ones lie on top. */
export function linksOf(lines: Lines, view: View, least: number, rows: (row: number) => boolean = () => true): Link[] {
  const links: Link[] = [];
  const columns = view.columns.length;
  for (let row = 0; row < view.rows.length; row++) {
    if (!rows(row)) continue;
    for (let column = 0; column < columns; column++) {
      if (view.weights[row * columns + column]! >= Math.max(kFaintest, least)) links.push(linkAt(lines, view, row, column));
    }
  }
  return links.sort((a, b) => a.weight - b.weight);
}

export function strokeOf(weight: number, theme: Theme): Pick<Line, 'stroke' | 'width' | 'opacity'> {
  return {
    stroke: colourOf(weight, theme),
    width: 0.7 + 5.3 * Math.min(1, weight),
    // Viridis begins dark: on a dark ground thin lines need all they have.
    opacity: Math.min(1, (theme === 'dark' ? 0.6 : 0.35) + 0.9 * weight),
  };
}

/** Words and links as a drawing; links light up with their two words. */
export function sceneOfLines(
  lines: Lines,
  view: View,
  { title, least, theme, colours }: { title: string; least: number; theme: Theme; colours: Tokens },
): Scene {
  const keyOf = (word: Word) => [
    ...(word.row >= 0 ? [`r${word.row}`] : []),
    ...(word.column >= 0 && (word.row < 0 || !lines.self) ? [`c${word.column}`] : []),
  ];
  const shapes: Shape[] = linksOf(lines, view, least).map(({ row, column, weight, points }) => ({
    kind: 'curve',
    points,
    ...strokeOf(weight, theme),
    keys: [`r${row}`, `c${column}`],
    tip: `${nameOf(view.columns[column]!)} → ${nameOf(view.rows[row]!)} ${formatWeight(weight)}`,
  }));
  for (const word of lines.words) {
    shapes.push({
      kind: 'text',
      x: word.x + word.width / 2,
      y: word.y + lines.wordHeight * 0.7,
      text: nameOf(word.label),
      size: lines.size,
      family: 'serif',
      anchor: 'middle',
      italic: word.label.special,
      fill: word.label.special ? colours.quiet : colours.ink,
      keys: keyOf(word),
    });
  }
  return { title, width: lines.width, height: lines.height, background: colours.paper, shapes };
}
