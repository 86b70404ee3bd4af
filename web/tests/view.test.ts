import { describe, expect, it } from 'vitest';
import type { AttentionMaps, Token } from '../src/lib/engine';
import { weightsOf } from '../src/page/attention/analysis';
import { colourOf, position } from '../src/page/attention/colour';
import { describe as describeCell } from '../src/page/attention/format';
import { type Choice, explained, labelOf, type Reading, sentenceAt, viewOf } from '../src/page/attention/view';
import { formatBytes, formatMilliseconds, formatWeight } from '../src/page/format';
import { FakeEngine } from './fake-engine';

const token = (piece: string): Token => ({ piece, id: 1, begin: 0, end: 1 });

describe('weightsOf', () => {
  // [layers 2, heads 2, queries 1, keys 2]
  const maps: AttentionMaps = {
    shape: [2, 2, 1, 2],
    weights: Float32Array.of(0.25, 0.75, 0.5, 0.5, 1, 0, 0.125, 0.875),
  };

  it('finds a head', () => {
    expect([...weightsOf(maps, 0, 1).weights]).toEqual([0.5, 0.5]);
    expect([...weightsOf(maps, 1, 0).weights]).toEqual([1, 0]);
  });

  it('averages the heads of one layer', () => {
    expect([...weightsOf(maps, 0, 'mean').weights]).toEqual([0.375, 0.625]);
    expect([...weightsOf(maps, 1, 'mean').weights]).toEqual([0.5625, 0.4375]);
  });

  it('takes mean and maximum over all layers', () => {
    expect([...weightsOf(maps, 'all', 'mean').weights]).toEqual([0.46875, 0.53125]);
    expect([...weightsOf(maps, 'all', 'max').weights]).toEqual([1, 0.875]);
  });

  it('refuses what is not there', () => {
    expect(() => weightsOf(maps, 2, 0)).toThrow(RangeError);
    expect(() => weightsOf(maps, 0, 2)).toThrow(RangeError);
    expect(() => weightsOf(maps, 'all', 0)).toThrow(RangeError);
  });
});

const pieces: Reading = { unit: 'pieces', hideEnd: false, scale: 'weights' };

describe('viewOf', () => {
  const engine = new FakeEngine({ layers: 2, heads: 3 });
  const translator = new engine.Translator([{ name: 'x', bytes: new Uint8Array() }]);
  const found = explained(translator.explain('狗追猫。', {}, undefined));
  const show = (stack: Choice['stack'], layer: number, head: Choice['head'], reading: Partial<Reading> = {}) =>
    viewOf(found, { stack, layer, head }, { ...pieces, ...reading });
  const names = (labels: { text: string }[]) => labels.map((label) => label.text);
  const rowOf = (view: ReturnType<typeof viewOf>, row: number) => [
    ...view.weights.subarray(row * view.columns.length, (row + 1) * view.columns.length),
  ];
  const sum = (values: number[]) => values.reduce((a, b) => a + b, 0);

  it('puts queries in rows and keys in columns', () => {
    const cross = show('cross', 0, 0);
    expect(names(cross.rows)).toEqual(['72D7', '8FFD', '732B.', 'end']);
    expect(names(cross.columns)).toEqual(['狗', '追', '猫', '。', 'end']);
    expect(cross.weights.length).toBe(4 * 5);
    const encoder = show('encoder', 1, 'mean');
    expect(names(encoder.rows)).toEqual(names(encoder.columns));
  });

  it('shifts the decoder’s keys by one and masks what is not written yet', () => {
    const view = show('decoder', 1, 2);
    expect(names(view.columns)).toEqual(['start', '72D7', '8FFD', '732B.']);
    for (let row = 0; row < 4; row++) {
      expect(sum(rowOf(view, row))).toBeCloseTo(1, 5);
      for (let column = 0; column < 4; column++) {
        expect(view.masked(row, column)).toBe(column > row);
        if (column > row) expect(rowOf(view, row)[column]).toBe(0);
      }
    }
    expect(describeCell(view, { row: 0, column: 1 })).toBe('72D7 → 72D7 masked');
    expect(describeCell(view, { row: 0, column: 0 })).toBe('start → 72D7 1.0000');
  });

  it.each(['encoder', 'decoder', 'cross'] as const)('words keep rows that sum to 1 (%s)', (stack) => {
    const view = show(stack, 1, 1, { unit: 'words' });
    for (const row of view.rows.keys()) expect(sum(rowOf(view, row))).toBeCloseTo(1, 5);
  });

  it('rollout rows sum to 1 and stay behind the mask', () => {
    for (const stack of ['encoder', 'decoder', 'cross'] as const) {
      const view = show(stack, 1, 'rollout');
      for (const row of view.rows.keys()) expect(sum(rowOf(view, row))).toBeCloseTo(1, 5);
    }
    expect(rowOf(show('decoder', 1, 'rollout'), 1).slice(2)).toEqual([0, 0]);
  });

  it('leaves the end of the sentence out on both sides, then scales rows', () => {
    const cross = show('cross', 1, 0, { hideEnd: true });
    expect(names(cross.rows)).toEqual(['72D7', '8FFD', '732B.']);
    expect(names(cross.columns)).toEqual(['狗', '追', '猫', '。']);
    expect(sum(rowOf(cross, 0))).toBeLessThan(1);
    expect(sum(rowOf(show('cross', 1, 0, { hideEnd: true, scale: 'sum' }), 0))).toBeCloseTo(1, 6);
    expect(Math.max(...rowOf(show('cross', 1, 0, { scale: 'largest' }), 2))).toBe(1);
    // The start symbol is no end.
    expect(names(show('decoder', 0, 0, { hideEnd: true }).columns)).toEqual(['start', '72D7', '8FFD', '732B.']);
  });
});

describe('labelOf', () => {
  it('tells word starts, symbols and plain pieces apart', () => {
    expect(labelOf(token('▁dog'), 3)).toEqual({ text: 'dog', space: true, special: false, tokens: { begin: 3, end: 4 } });
    expect(labelOf(token('s'))).toMatchObject({ text: 's', space: false, special: false });
    expect(labelOf(token('▁'))).toMatchObject({ text: '', space: true, special: false });
    expect(labelOf(token('</s>'))).toMatchObject({ text: 'end', space: false, special: true });
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
