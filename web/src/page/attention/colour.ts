// The heat scale: weight 0 to 1 as a colour of the viridis family, one table per theme; and the few
// plain colours that drawings need, as the page's own tokens have them.

import { interpolateRgbBasis } from 'd3-interpolate';
import { interpolateViridis } from 'd3-scale-chromatic';

export type Theme = 'light' | 'dark';

/**
 * In the dark viridis as it is: nothing is dark, everything bright. On paper the same hues the other
 * way round, let in from the paper's own tone, so that in both themes what matters stands out.
 */
const ramps: Record<Theme, (t: number) => string> = {
  dark: (t) => interpolateViridis(t),
  light: interpolateRgbBasis([
    '#f4f3ea',
    '#d8e8b4',
    interpolateViridis(0.72),
    interpolateViridis(0.5),
    interpolateViridis(0.3),
    interpolateViridis(0.12),
    interpolateViridis(0),
  ]),
};

const kSteps = 256;
const tables = new Map<Theme, string[]>();

/**
 * Attention spreads thin over long sentences, and on a linear scale a weight of 0.02 would look like
 * none. The square root keeps order and end points; the legend's ticks show it.
 */
export function position(weight: number): number {
  return Math.sqrt(Math.min(1, Math.max(0, weight)));
}

export function colourAt(t: number, theme: Theme): string {
  let table = tables.get(theme);
  if (!table) {
    table = Array.from({ length: kSteps }, (_, i) => ramps[theme](i / (kSteps - 1)));
    tables.set(theme, table);
  }
  return table[Math.round(t * (kSteps - 1))]!;
}

export function colourOf(weight: number, theme: Theme): string {
  return colourAt(position(weight), theme);
}

/** The scale as bytes [256, RGB], for pictures written pixel by pixel. */
export function bytesOf(theme: Theme): Uint8Array {
  let bytes = byteTables.get(theme);
  if (!bytes) {
    bytes = new Uint8Array(kSteps * 3);
    for (let i = 0; i < kSteps; i++) bytes.set(rgb(colourAt(i / (kSteps - 1), theme)), i * 3);
    byteTables.set(theme, bytes);
  }
  return bytes;
}
const byteTables = new Map<Theme, Uint8Array>();

export function rgb(colour: string): number[] {
  return colour.startsWith('#')
    ? [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16))
    : colour.match(/\d+/g)!.slice(0, 3).map(Number);
}

export interface Tokens {
  paper: string;
  ink: string;
  quiet: string;
  line: string;
  accent: string;
}

/** The page's colours now, for what is drawn rather than styled. */
export function tokens(): Tokens {
  // A token may itself be light-dark(): only an element's own colour is resolved.
  const probe = document.createElement('span');
  document.body.append(probe);
  const of = (name: string) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const found = { paper: of('paper'), ink: of('ink'), quiet: of('quiet'), line: of('line'), accent: of('accent') };
  probe.remove();
  return found;
}
