import { describe, expect, it } from 'vitest';
import type { AttentionMaps, Token } from '../src/lib/engine';
import {
  alignmentOf,
  crossRollout,
  drops,
  entropy,
  joinWords,
  type Matrix,
  pickHead,
  ranks,
  roleOf,
  rollout,
  scaleRows,
  type Span,
  spearman,
  weightsOf,
  withoutEachWord,
  wordsOf,
} from '../src/page/attention/analysis';
import fixture from './fixtures/attention.json';

const maps = ({ shape, weights }: { shape: number[]; weights: number[] }): AttentionMaps => ({
  shape: shape as AttentionMaps['shape'],
  weights: Float32Array.from(weights),
});
const [encoder, decoder, cross] = [maps(fixture.encoder), maps(fixture.decoder), maps(fixture.cross)];
const spans = (pairs: number[][]): Span[] => pairs.map(([begin, end]) => ({ begin: begin!, end: end! }));

function expectClose(found: ArrayLike<number>, expected: readonly number[]): void {
  expect(found.length).toBe(expected.length);
  for (const [i, value] of expected.entries()) expect(found[i]).toBeCloseTo(value, 5);
}

/** Pieces of a text, "▁" where a word begins after a space; the end symbol last. */
function tokenize(text: string, pieces: readonly string[]): Token[] {
  let at = 0;
  const tokens = pieces.map((piece, id): Token => {
    const written = piece.replace('▁', '');
    const begin = piece.startsWith('▁') && at > 0 ? text.indexOf(' ', at) : at;
    const end = text.indexOf(written, begin) + written.length;
    at = end;
    return { piece, id, begin, end };
  });
  return [...tokens, { piece: '</s>', id: 0, begin: at, end: at }];
}

const plain = (count: number) => [
  ...Array.from({ length: count }, (_, i): Token => ({ piece: `▁${String.fromCharCode(97 + i)}`, id: i, begin: i, end: i + 1 })),
  { piece: '</s>', id: 0, begin: count, end: count },
];

describe('summaries over heads, against NumPy', () => {
  it('mean and maximum', () => {
    expectClose(weightsOf(cross, 1, 'mean').weights, fixture.mean);
    expectClose(weightsOf(cross, 1, 'max').weights, fixture.max);
    expectClose(weightsOf(cross, 'all', 'mean').weights, fixture.meanOfAll);
  });

  it('rollout of a self-attention stack, after every layer', () => {
    for (const [layer, expected] of fixture.rollout.encoder.entries()) expectClose(rollout(encoder, layer).weights, expected);
    for (const [layer, expected] of fixture.rollout.decoder.entries()) expectClose(rollout(decoder, layer).weights, expected);
    expectClose(rollout(encoder, 'all').weights, fixture.rollout.encoder.at(-1)!);
  });

  it('rollout from source to target equals the flow through the whole model', () => {
    for (const [layer, expected] of fixture.rollout.cross.entries()) {
      expectClose(crossRollout({ encoder, decoder, cross }, layer).weights, expected);
    }
  });

  it('joins pieces to words', () => {
    const joined = joinWords(weightsOf(cross, 0, 1), spans(fixture.words.target), spans(fixture.words.source));
    expectClose(joined.weights, fixture.joined);
  });
});

describe('ranks and entropy, against SciPy', () => {
  it.each(fixture.correlations.map((one, i) => [i, one] as const))('pair %i', (_, { a, b, ranks: expected, spearman: rho }) => {
    expectClose(ranks(b), expected);
    expect(spearman(a, b)).toBeCloseTo(rho, 9);
  });

  it('has no correlation where there is no order', () => {
    expect(spearman([1, 1, 1], [1, 2, 3])).toBeNull();
    expect(spearman([1], [2])).toBeNull();
    expect(spearman([], [])).toBeNull();
    expect(() => spearman([1], [1, 2])).toThrow(RangeError);
  });

  it('entropy in bits', () => {
    for (const { p, bits } of fixture.entropies) expect(entropy(p)).toBeCloseTo(bits, 5);
  });
});

describe('the head picked, against SciPy', () => {
  const source = plain(5);
  const target = plain(4);

  it('has the measures of every head right', () => {
    for (const { layer, head, sharpness, monotonicity } of fixture.picked) {
      const found = alignmentOf(weightsOf(cross, layer, head), source, target);
      expect(found.sharpness).toBeCloseTo(sharpness, 5);
      expect(found.monotonicity).toBeCloseTo(monotonicity, 5);
    }
  });

  it('is the one of the last layer with the largest product', () => {
    const last = fixture.picked.filter(({ layer }) => layer === cross.shape[0] - 1);
    expect(last.length).toBeLessThan(fixture.picked.length);
    const best = last.reduce((a, b) => (b.sharpness * b.monotonicity > a.sharpness * a.monotonicity ? b : a));
    expect(pickHead(cross, source, target)).toMatchObject({ layer: best.layer, head: best.head });
  });

  it('prefers a diagonal to a head that looks at one token only', () => {
    const two: AttentionMaps = { shape: [1, 2, 3, 4], weights: Float32Array.of(
      0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0,
      0.8, 0.1, 0.1, 0, 0.1, 0.8, 0.1, 0, 0.1, 0.1, 0.8, 0,
    ) };
    const found = pickHead(two, plain(3), plain(3).slice(0, 3));
    expect(found).toMatchObject({ head: 1, monotonicity: 1 });
    expect(found.sharpness).toBeCloseTo(0.8, 6);
  });
});

describe('words', () => {
  const cut = (text: string, pieces: string[], language?: string) => {
    const tokens = tokenize(text, pieces);
    return wordsOf(text, tokens, language).map(({ begin, end }) => tokens.slice(begin, end).map(({ piece }) => piece));
  };

  it('joins the pieces of a word and sets punctuation apart', () => {
    expect(cut("yesterday's library.", ['▁yester', 'day', "'", 's', '▁lib', 'rary', '.'], 'en')).toEqual([
      ['▁yester', 'day', "'", 's'],
      ['▁lib', 'rary'],
      ['.'],
      ['</s>'],
    ]);
  });

  it('keeps a piece that spans two words whole', () => {
    expect(cut('the cat', ['▁the', '▁cat'], 'en')).toEqual([['▁the'], ['▁cat'], ['</s>']]);
    expect(cut('end.', ['▁end.'], 'en')).toEqual([['▁end.'], ['</s>']]);
    expect(cut('ends. Go', ['▁end', 's.', '▁Go'], 'en')).toEqual([['▁end', 's.'], ['▁Go'], ['</s>']]);
  });

  it('Chinese words as the platform cuts them', () => {
    const pieces = ['▁我', '昨天', '在', '图书馆'];
    expect(cut('我昨天在图书馆', pieces, 'zh')).toEqual([['▁我'], ['昨天'], ['在'], ['图书馆'], ['</s>']]);
    expect(cut('昨天', ['▁昨', '天'], 'zh')).toEqual([['▁昨', '天'], ['</s>']]);
  });

  it('a lone space belongs to the word after it', () => {
    const tokens: Token[] = [
      { piece: '▁', id: 1, begin: 0, end: 0 },
      { piece: 'a', id: 2, begin: 0, end: 1 },
      { piece: '▁', id: 1, begin: 1, end: 2 },
      { piece: 'b', id: 3, begin: 2, end: 3 },
      { piece: '</s>', id: 0, begin: 3, end: 3 },
    ];
    expect(wordsOf('a b', tokens, 'en')).toEqual([{ begin: 0, end: 2 }, { begin: 2, end: 4 }, { begin: 4, end: 5 }]);
  });
});

describe('what a head does', () => {
  const matrix = (rows: number[][]): Matrix => ({ rows: rows.length, columns: rows[0]!.length, weights: Float32Array.from(rows.flat()) });
  const size = 6; // five words and the end
  const one = (at: (row: number) => number, columns = size) =>
    matrix(Array.from({ length: size }, (_, row) => Array.from({ length: columns }, (_, column) => (column === at(row) ? 1 : 0))));
  const tokens = plain(5);
  const words = tokens.map((_, i) => ({ begin: i, end: i + 1 }));
  const encoderRole = (head: Matrix, given = { source: tokens, words }) =>
    roleOf(head, { stack: 'encoder', target: [], ...given }).role;
  const crossRole = (head: Matrix, source = tokens) => roleOf(head, { stack: 'cross', source, target: tokens, words }).role;
  const decoderRole = (head: Matrix) => roleOf(head, { stack: 'decoder', source: [], target: tokens, words }).role;

  it('encoder', () => {
    expect(encoderRole(one((row) => Math.max(0, row - 1)))).toBe('previous');
    expect(encoderRole(one((row) => Math.min(4, row + 1)))).toBe('next');
    expect(encoderRole(one((row) => row))).toBe('same');
    expect(encoderRole(one(() => 5))).toBe('end');
    expect(encoderRole(one((row) => (row * 2 + 3) % 5))).toBe('mixed');
    expect(encoderRole(matrix(Array.from({ length: size }, () => Array(size).fill(1 / size))))).toBe('spread');
    const punctuated = tokens.with(2, { ...tokens[2]!, piece: '。' });
    expect(encoderRole(one(() => 2), { source: punctuated, words })).toBe('separator');
  });

  it('decoder: the key on the diagonal is the token written last', () => {
    expect(decoderRole(one((row) => row))).toBe('previous');
    expect(decoderRole(one(() => 0))).toBe('start');
  });

  it('cross: aligned only where different tokens are looked at', () => {
    expect(crossRole(one((row) => row))).toBe('aligned');
    expect(crossRole(one(() => 1))).toBe('mixed');
    expect(crossRole(one(() => 5))).toBe('end');
    expect(crossRole(one(() => 4), tokens.with(4, { ...tokens[4]!, piece: '.' }))).toBe('separator');
  });

  it('needs twice what even attention would give', () => {
    // Of two keys each pattern gets half of even attention: more than the least share, and no name.
    const short = plain(1);
    const half = matrix([[0.5, 0.5], [0.5, 0.5]]);
    expect(roleOf(half, { stack: 'encoder', source: short, target: [], words: words.slice(0, 2) }).role).toBe('spread');
  });
});

describe('rows', () => {
  it('are scaled to sum or largest 1, and a row of zeros stays', () => {
    const rows: Matrix = { rows: 2, columns: 2, weights: Float32Array.of(1, 3, 0, 0) };
    expect([...scaleRows(rows, 'sum').weights]).toEqual([0.25, 0.75, 0, 0]);
    expect([...scaleRows(rows, 'largest').weights].map((w) => Math.round(w * 1e6) / 1e6)).toEqual([0.333333, 1, 0, 0]);
    expect(scaleRows(rows, 'weights')).toBe(rows);
  });
});

describe('leaving words out', () => {
  it('leaves each word out with the space before it', () => {
    const text = 'The dog barks.';
    const tokens = tokenize(text, ['▁The', '▁dog', '▁bar', 'ks', '.']);
    const words = wordsOf(text, tokens, 'en');
    expect(withoutEachWord(text, tokens, words)).toEqual(['dog barks.', 'The barks.', 'The dog.', 'The dog barks', null]);
  });

  it('has nothing to ask where nothing would be left', () => {
    const tokens = tokenize('Go', ['▁Go']);
    expect(withoutEachWord('Go', tokens, wordsOf('Go', tokens, 'en'))).toEqual([null, null]);
  });

  it('adds the drops of a word’s pieces', () => {
    const [both, last] = drops([0.5, 0.5, 0.9], [0.25, 0.125, 0.9], [{ begin: 0, end: 2 }, { begin: 2, end: 3 }]);
    expect(both).toBeCloseTo(Math.log(8), 6);
    expect(last).toBe(0);
    expect(drops([1], [0], [{ begin: 0, end: 1 }])[0]).toBeLessThan(100); // not infinite
  });
});
