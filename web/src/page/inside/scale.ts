// Colours of matrices: the viridis family for values that are never negative; for signed ones two hues
// that colour-blind eyes tell apart, and whose lightness grows with the size of the value.

import { interpolateRgb, piecewise } from 'd3-interpolate';
import { colourAt } from '../attention/colour';
import { theme } from '../theme';

type Rgb = readonly [number, number, number];
const kSteps = 256;
const tables = new Map<string, Rgb[]>();

const kSigned = {
  light: ['#3f1a6b', '#6b45a8', '#b5a3d6', '#f6f4ee', '#8fc4b4', '#2b8574', '#0b4a40'],
  dark: ['#e2ccff', '#a583dd', '#5a4685', '#1d2120', '#2a6d60', '#4dbfa5', '#bff5e4'],
};

function parse(colour: string): Rgb {
  const hex = /^#(..)(..)(..)$/.exec(colour);
  if (hex) return [parseInt(hex[1]!, 16), parseInt(hex[2]!, 16), parseInt(hex[3]!, 16)];
  const [r, g, b] = (colour.match(/[\d.]+/g) ?? []).map(Number);
  return [Math.round(r ?? 0), Math.round(g ?? 0), Math.round(b ?? 0)];
}

/** 256 colours of the theme that is on the screen. */
export function colours(signed: boolean): Rgb[] {
  const key = `${theme()} ${signed}`;
  let table = tables.get(key);
  if (!table) {
    const ramp = signed
      ? piecewise(interpolateRgb, kSigned[theme()])
      : (t: number) => colourAt(t, theme());
    table = Array.from({ length: kSteps }, (_, i) => parse(ramp(i / (kSteps - 1))));
    tables.set(key, table);
  }
  return table;
}

/** Where a value lies on its scale, 0 to 255. Signed scales have zero in the middle. */
export function indexOf(value: number, low: number, high: number): number {
  if (!(high > low)) return 0;
  const t = (value - low) / (high - low);
  return Math.round(Math.min(1, Math.max(0, t)) * (kSteps - 1));
}
