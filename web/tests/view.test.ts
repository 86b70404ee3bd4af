import { describe, expect, it } from 'vitest';
import type { AttentionMaps, Explanation, Token } from '../src/lib/engine';
import { colourOf, position } from '../src/page/colour';
import { formatBytes, formatMilliseconds, formatWeight } from '../src/page/format';
import { describe as describeCell } from '../src/page/heatmap';
import { labelOf, sentenceAt, viewOf, weightsOf } from '../src/page/view';
import { FakeEngine } from './fake-engine';

const token = (piece: string): Token => ({ piece, id: 1, begin: 0, end: 1 });

describe('weightsOf', () => {
  // [layers 2, heads 2, queries 1, keys 2]
  const maps: AttentionMaps = {
    shape: [2, 2, 1, 2],
    weights: Float32Array.of(0.25, 0.75, 0.5, 0.5, 1, 0, 0.125, 0.875),
  };

  it('finds a head', () => {
    expect([...weightsOf(maps, 0, 1)]).toEqual([0.5, 0.5]);
    expect([...weightsOf(maps, 1, 0)]).toEqual([1, 0]);
  });

  it('averages the heads of one layer', () => {
    expect([...weightsOf(maps, 0, 'mean')]).toEqual([0.375, 0.625]);
    expect([...weightsOf(maps, 1, 'mean')]).toEqual([0.5625, 0.4375]);
  });

  it('refuses what is not there', () => {
    expect(() => weightsOf(maps, 2, 0)).toThrow(RangeError);
    expect(() => weightsOf(maps, 0, 2)).toThrow(RangeError);
  });
});

describe('viewOf', () => {
  const engine = new FakeEngine({ layers: 2, heads: 3 });
  const translator = new engine.Translator([{ name: 'x', bytes: new Uint8Array() }]);
  const explanation: Explanation = translator.explain('狗追猫。', {}, undefined);
  const names = (labels: { text: string }[]) => labels.map((label) => label.text);

  it('puts queries in rows and keys in columns', () => {
    const cross = viewOf(explanation, 'cross', 0, 0);
    expect(names(cross.rows)).toEqual(['72D7', '8FFD', '732B.', 'end']);
    expect(names(cross.columns)).toEqual(['狗', '追', '猫', '。', 'end']);
    expect(cross.weights.length).toBe(4 * 5);
    const encoder = viewOf(explanation, 'encoder', 1, 'mean');
    expect(names(encoder.rows)).toEqual(names(encoder.columns));
  });

  it('shifts the decoder’s keys by one and masks what is not written yet', () => {
    const view = viewOf(explanation, 'decoder', 1, 2);
    expect(names(view.columns)).toEqual(['start', '72D7', '8FFD', '732B.']);
    for (let row = 0; row < 4; row++) {
      let sum = 0;
      for (let column = 0; column < 4; column++) {
        const weight = view.weights[row * 4 + column]!;
        sum += weight;
        expect(view.masked(row, column)).toBe(column > row);
        if (column > row) expect(weight).toBe(0);
      }
      expect(sum).toBeCloseTo(1, 5);
    }
    expect(describeCell(view, { row: 0, column: 1 })).toBe('72D7 → 72D7 masked');
    expect(describeCell(view, { row: 0, column: 0 })).toBe('start → 72D7 1.0000');
  });
});

describe('labelOf', () => {
  it('tells word starts, symbols and plain pieces apart', () => {
    expect(labelOf(token('▁dog'))).toEqual({ text: 'dog', space: true, special: false });
    expect(labelOf(token('s'))).toEqual({ text: 's', space: false, special: false });
    expect(labelOf(token('▁'))).toEqual({ text: '', space: true, special: false });
    expect(labelOf(token('</s>'))).toEqual({ text: 'end', space: false, special: true });
  });
});

describe('sentenceAt', () => {
  const sentences = [2, 10, 20].map((begin) => ({ source: { begin } }));
  it.each([
    [0, 0],
    [2, 0],
    [9, 0],
    [10, 1],
    [19, 1],
    [99, 2],
  ])('caret %i: sentence %i', (caret, index) => {
    expect(sentenceAt(sentences, caret)).toBe(index);
  });
});

describe('numbers', () => {
  it('weights keep what they mean', () => {
    expect(formatWeight(0.83124)).toBe('0.8312');
    expect(formatWeight(1)).toBe('1.0000');
    expect(formatWeight(0)).toBe('0');
    expect(formatWeight(0.00005)).toBe('0.0001');
    expect(formatWeight(0.00003)).toBe('3.0e-5');
  });

  it('bytes and times', () => {
    expect([0, 999, 1000, 949_949, 999_949, 999_950, 12_345_678].map(formatBytes)).toEqual([
      '0 bytes',
      '999 bytes',
      '1.0 kB',
      '949.9 kB',
      '999.9 kB',
      '1.0 MB',
      '12.3 MB',
    ]);
    expect([0.2, 12.4, 999, 1500].map(formatMilliseconds)).toEqual(['under 1 ms', '12 ms', '999 ms', '1.5 s']);
  });
});

describe('colour', () => {
  const luminance = (colour: string): number => {
    const [r, g, b] = colour.startsWith('#')
      ? [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16))
      : colour.match(/\d+/g)!.map(Number);
    return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
  };

  it.each(['light', 'dark'] as const)('is monotone in brightness (%s)', (theme) => {
    const values = Array.from({ length: 65 }, (_, i) => luminance(colourOf(i / 64, theme)));
    const direction = Math.sign(values.at(-1)! - values[0]!);
    for (let i = 1; i < values.length; i++) {
      expect((values[i]! - values[i - 1]!) * direction).toBeGreaterThan(-1);
    }
  });

  it('the scale begins at 0 and ends at 1', () => {
    expect(position(0)).toBe(0);
    expect(position(1)).toBe(1);
    expect(position(0.25)).toBe(0.5);
    expect(position(1.0000001)).toBe(1);
  });
});
