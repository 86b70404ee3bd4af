// What each stage of the walk shows: its matrices, its formula with this sentence's numbers, and what
// can be switched or chosen there.

import { formatNumber, formatTick, make, pieceText, svg } from './build';
import { count, fraction, line, products, result, root, row, sub, sup, vector, words } from './formula';
import type { Cell, MatrixView } from './matrix';
import { legend, plot } from './plot';
import { type StageName, text } from './texts';
import type { MatrixData, ScoreStatistics, Switches, Trace, TraceOptions, TraceStep } from './types';

export interface Context {
  trace: Trace;
  /** The same with all switches on. */
  base: Trace;
  options: TraceOptions;
  /** Products of positions, [positions, distances]; null until they are there. */
  products: { positions: readonly number[]; distances: number; values: Float32Array } | null;
  /** By d_k; null until they are there. */
  statistics: { widths: readonly number[]; samples: readonly ScoreStatistics[]; queries: number; keys: number } | null;
}

export type Control =
  | 'encoderLayer'
  | 'encoderHead'
  | 'decoderLayer'
  | 'decoderHead'
  | 'step'
  | keyof Switches;

export interface Stage {
  controls: readonly Control[];
  matrices: (context: Context) => MatrixView[];
  /** Lines of MathML; `cell` is the one of the first matrix that is pointed at. */
  formula: (context: Context, cell: Cell) => Element[];
  /** What else there is to see. */
  extra?: (context: Context) => Node[];
}

const kFold = 100; // ids in a row of the logits

function matrix({ trace }: Context, name: string): MatrixData {
  const found = trace.matrices[name];
  if (!found) throw new Error(`the trace has no ${name}`);
  return found;
}

function rowOf({ values, cols }: MatrixData, index: number): Float32Array {
  return values.subarray(index * cols, (index + 1) * cols);
}

const at = (data: MatrixData, { row: r, col }: Cell) => data.values[r * data.cols + col] ?? 0;

/** Pieces of the source, and its padding. */
function source({ trace }: Context): string[] {
  const names = trace.source.tokens.map(({ piece }) => pieceText(piece));
  while (names.length < trace.length) names.push(`[${text().pad}]`);
  return names;
}

/** What each step of the decoder reads. */
function inputs({ trace }: Context): string[] {
  return trace.steps.map((_, i) => inputText(trace, i));
}

/** What a step reads; the start symbol by what it is for, not by the piece some model uses for it. */
export function inputText({ steps }: Trace, step: number): string {
  return step === 0 ? `[${text().begin}]` : pieceText(steps[step]?.inputPiece ?? '');
}

const self = ({ options }: Context) => `encoder.layers.${options.encoderLayer}.self_attention`;
const past = ({ options }: Context) => `decoder.layers.${options.decoderLayer}.self_attention`;
const cross = ({ options }: Context) => `decoder.layers.${options.decoderLayer}.cross_attention`;
const feed = ({ options }: Context) => `encoder.layers.${options.encoderLayer}.feed_forward`;

function show(
  context: Context,
  name: string,
  title: string,
  rows: readonly string[],
  cols: readonly string[] | null = null,
  signed = true,
): MatrixView {
  return { data: matrix(context, name), title: text().matrix[title] ?? title, rows, cols, signed };
}

const named = (names: readonly string[], index: number) => words(names[index] ?? '');

/** Softmax of one row with the numbers of one cell; masked scores stay out of the sum. */
function softmaxLines(scores: MatrixData, weights: MatrixData, cell: Cell): Element[] {
  const own = at(scores, cell);
  const values = [...rowOf(scores, cell.row)].filter((value) => value !== -Infinity);
  const e = (value: number) => sup('e', value);
  const sum = values.slice(0, 3).flatMap((value, i) => (i === 0 ? [e(value)] : ['+', e(value)]));
  if (values.length > 3) sum.push('+', '⋯');
  if (own === -Infinity) {
    return [line(sup('e', row('−', '∞')), '=', count(0), ',', ' ', words('w'), '=', result(at(weights, cell)))];
  }
  return [line(fraction(e(own), row(...sum)), '=', result(at(weights, cell)))];
}

/** Scores of one query and one key: their product, divided, masked. */
function scoreLines(context: Context, prefix: string, scale: number, cell: Cell, rows: string[], cols: string[]): Element[] {
  const q = rowOf(matrix(context, `${prefix}.queries`), cell.row);
  const k = rowOf(matrix(context, `${prefix}.keys`), cell.col);
  const raw = at(matrix(context, `${prefix}.scores`), cell);
  const scaled = at(matrix(context, `${prefix}.scaled`), cell);
  const masked = at(matrix(context, `${prefix}.masked`), cell);
  const lines = [
    line(sub('q', named(rows, cell.row)), '·', sub('k', named(cols, cell.col)), '=', products(q, k), '=', result(raw)),
  ];
  lines.push(
    context.options.scaled
      ? line(fraction(raw, root(count(q.length))), '=', fraction(raw, scale), '=', result(scaled))
      : line(raw, '÷', count(1), '=', result(scaled)),
  );
  if (masked === -Infinity) lines.push(line(scaled, '→', '−', '∞'));
  return lines;
}

const kNone = () => [];

export const kStageParts: Record<StageName, Stage> = {
  pieces: {
    controls: [],
    matrices: kNone,
    formula: (context) => {
      const token = context.trace.source.tokens[0]!;
      return [line(words('id'), '(', words(pieceText(token.piece)), ')', '=', count(token.id))];
    },
    extra: ({ trace }) => [
      make('p', 'inside-text', trace.source.text),
      make(
        'ol',
        'inside-pieces',
        ...trace.source.tokens.map(({ piece, id }) =>
          make('li', '', make('span', 'inside-piece', pieceText(piece)), make('span', 'inside-id', String(id))),
        ),
      ),
    ],
  },

  embedding: {
    controls: [],
    matrices: (c) => [show(c, 'encoder.embedding.scaled', 'scaled', source(c)), show(c, 'encoder.embedding.words', 'words', source(c))],
    formula: (c, cell) => [
      line(
        root(count(c.trace.dModel)), '·', sub('E', row(named(source(c), cell.row), ',', count(cell.col + 1))), '=',
        c.trace.embeddingScale, '·', at(matrix(c, 'encoder.embedding.words'), cell), '=',
        result(at(matrix(c, 'encoder.embedding.scaled'), cell)),
      ),
    ],
  },

  position: {
    controls: [],
    matrices: (c) => [show(c, 'encoder.embedding.positions', 'positions', source(c).map((piece, i) => `${i}  ${piece}`))],
    formula: (c, cell) => {
      // Sines first, then cosines: the column says which and of which wave.
      const sines = Math.ceil(c.trace.dModel / 2);
      const sine = cell.col < sines;
      const i = sine ? cell.col : cell.col - sines;
      return [
        line(
          words(sine ? 'sin' : 'cos'), '(', fraction(count(cell.row), sup(count(10000), row(count(2), '·', count(i), '/', count(c.trace.dModel)))), ')', '=',
          result(at(matrix(c, 'encoder.embedding.positions'), cell)),
        ),
      ];
    },
    extra: ({ products: found }) => {
      if (!found) return [];
      const series = found.positions.map((position, i) => ({
        name: text().fromPosition(position),
        tone: i,
        dashed: i > 0,
        points: Array.from(found.values.subarray(i * found.distances, (i + 1) * found.distances), (y, x) => [x, y] as const),
      }));
      return [
        make('h4', '', text().productTitle),
        make('p', 'about', text().productAbout),
        plot({
          name: text().productTitle,
          x: { label: text().distance, format: String },
          y: { label: text().product, format: formatTick },
          series,
        }),
        legend(series),
      ];
    },
  },

  sum: {
    controls: ['positions'],
    matrices: (c) => [show(c, 'encoder.embedding.sum', 'sum', source(c))],
    formula: (c, cell) => {
      const word = at(matrix(c, 'encoder.embedding.scaled'), cell);
      const sum = result(at(matrix(c, 'encoder.embedding.sum'), cell));
      return [
        c.options.positions
          ? line('x', '=', word, '+', at(matrix(c, 'encoder.embedding.positions'), cell), '=', sum)
          : line('x', '=', word, '=', sum),
      ];
    },
  },

  qkv: {
    controls: ['encoderLayer', 'encoderHead'],
    matrices: (c) => [
      show(c, `${self(c)}.queries`, 'queries', source(c)),
      show(c, `${self(c)}.keys`, 'keys', source(c)),
      show(c, `${self(c)}.values`, 'values', source(c)),
    ],
    formula: (c, cell) => {
      const part = (letter: string, what: string) => {
        const x = rowOf(matrix(c, `${self(c)}.${c.trace.preNorm ? 'normed' : 'residual'}`), cell.row);
        const to = rowOf(matrix(c, `${self(c)}.${what}`), cell.row);
        return line(
          sub(letter.toLowerCase(), named(source(c), cell.row)), '=', vector(x), '·', sub('W', letter), '+', sub('b', letter), '=', vector(to),
        );
      };
      return [part('Q', 'queries'), part('K', 'keys'), part('V', 'values')];
    },
  },

  scores: {
    controls: ['encoderLayer', 'encoderHead'],
    matrices: (c) => [show(c, `${self(c)}.scores`, 'scores', source(c), source(c))],
    formula: (c, cell) => scoreLines(c, self(c), c.trace.encoderScale, cell, source(c), source(c)).slice(0, 1),
  },

  scaled: {
    controls: ['scaled', 'encoderLayer', 'encoderHead'],
    matrices: (c) => [
      show(c, `${self(c)}.scaled`, c.options.scaled ? 'scaledScores' : 'unscaled', source(c), source(c)),
      show(c, `${self(c)}.weights`, 'weights', source(c), source(c), false),
    ],
    formula: (c, cell) => scoreLines(c, self(c), c.trace.encoderScale, cell, source(c), source(c)).slice(1, 2),
    extra: ({ statistics }) => {
      if (!statistics) return [];
      const { widths, samples } = statistics;
      const of = (pick: (sample: ScoreStatistics) => number) =>
        widths.map((width, i) => [width, pick(samples[i]!)] as const);
      const spread = [
        { name: text().plain, tone: 0, points: of((s) => s.variance) },
        { name: text().divided, tone: 1, dashed: true, points: of((s) => s.scaledVariance) },
      ];
      const largest = [
        { name: text().plain, tone: 0, points: of((s) => s.largest) },
        { name: text().divided, tone: 1, dashed: true, points: of((s) => s.scaledLargest) },
      ];
      const x = { label: text().width, log: true, format: String, ticks: widths };
      return [
        make('h4', '', text().spreadTitle),
        make('p', 'about', text().spreadAbout(statistics.queries, statistics.keys)),
        make(
          'div',
          'inside-plots',
          plot({ name: text().variance, x, y: { label: text().variance, log: true, format: formatTick }, series: spread }),
          plot({ name: text().largest, x, y: { label: text().largest, format: formatTick, low: 0, high: 1 }, series: largest }),
        ),
        legend(spread),
      ];
    },
  },

  masked: {
    controls: ['padded', 'encoderLayer', 'encoderHead'],
    matrices: (c) => [
      show(c, `${self(c)}.masked`, 'masked', source(c), source(c)),
      show(c, `${self(c)}.weights`, 'weights', source(c), source(c), false),
    ],
    formula: (c, cell) => {
      const scaled = at(matrix(c, `${self(c)}.scaled`), cell);
      const masked = at(matrix(c, `${self(c)}.masked`), cell);
      return [masked === -Infinity ? line(scaled, '→', '−', '∞') : line(scaled, '→', result(masked))];
    },
  },

  softmax: {
    controls: ['encoderLayer', 'encoderHead'],
    matrices: (c) => [show(c, `${self(c)}.weights`, 'weights', source(c), source(c), false)],
    formula: (c, cell) => softmaxLines(matrix(c, `${self(c)}.masked`), matrix(c, `${self(c)}.weights`), cell),
  },

  attended: {
    controls: ['encoderLayer', 'encoderHead'],
    matrices: (c) => [
      show(c, `${self(c)}.attended`, 'attended', source(c)),
      show(c, `${self(c)}.values`, 'values', source(c)),
    ],
    formula: (c, cell) => {
      const weights = rowOf(matrix(c, `${self(c)}.weights`), cell.row);
      const values = matrix(c, `${self(c)}.values`);
      const column = Float32Array.from({ length: values.rows }, (_, j) => at(values, { row: j, col: cell.col }));
      return [line(products(weights, column), '=', result(at(matrix(c, `${self(c)}.attended`), cell)))];
    },
  },

  joined: {
    controls: ['encoderLayer'],
    matrices: (c) => [
      show(c, `${self(c)}.output`, 'output', source(c)),
      show(c, `${self(c)}.joined`, 'joined', source(c)),
    ],
    formula: (c, cell) => [
      line(
        '[', words(`${text().head} 1`), ';', '…', ';', words(`${text().head} ${c.trace.encoderHeads}`), ']', '·', sub('W', 'O'), '+', sub('b', 'O'), '=',
        vector(rowOf(matrix(c, `${self(c)}.joined`), cell.row)), '·', sub('W', 'O'), '+', sub('b', 'O'), '=',
        vector(rowOf(matrix(c, `${self(c)}.output`), cell.row)),
      ),
    ],
  },

  norm: {
    controls: ['encoderLayer'],
    matrices: (c) => [
      show(c, `${self(c)}.normed`, 'normed', source(c)),
      show(c, `${self(c)}.sum`, 'total', source(c)),
      show(c, `${self(c)}.residual`, 'residual', source(c)),
    ],
    formula: (c, cell) => {
      const read = matrix(c, `${self(c)}.${c.trace.preNorm ? 'residual' : 'sum'}`);
      const mean = read.means?.[cell.row] ?? 0;
      const variance = read.variances?.[cell.row] ?? 0;
      const gain = matrix(c, `${self(c)}.gain`).values[cell.col] ?? 0;
      const bias = matrix(c, `${self(c)}.bias`).values[cell.col] ?? 0;
      return [
        line(at(matrix(c, `${self(c)}.residual`), cell), '+', at(matrix(c, `${self(c)}.output`), cell), '=', at(matrix(c, `${self(c)}.sum`), cell)),
        line(
          fraction(row(at(read, cell), '−', mean), root(row(variance, '+', words('ε')))), '·', gain, '+', bias, '=',
          result(at(matrix(c, `${self(c)}.normed`), cell)),
        ),
      ];
    },
    extra: (c) => [
      make('h4', '', text().distribution),
      make(
        'div',
        'inside-plots',
        ...(['residual', 'sum', 'normed'] as const).map((what) =>
          histogram(matrix(c, `${self(c)}.${what}`), text().matrix[what === 'sum' ? 'total' : what]!),
        ),
      ),
    ],
  },

  feedforward: {
    controls: ['encoderLayer'],
    matrices: (c) => [
      show(c, `${feed(c)}.hidden`, 'hidden', source(c), null, c.trace.activation !== 'relu'),
      show(c, `${feed(c)}.output`, 'fed', source(c)),
      show(c, `${feed(c)}.normed`, 'normed', source(c)),
    ],
    formula: (c, cell) => {
      const hidden = matrix(c, `${feed(c)}.hidden`);
      const output = matrix(c, `${feed(c)}.output`);
      const read = matrix(c, `${feed(c)}.${c.trace.preNorm ? 'normed' : 'residual'}`);
      return [
        line(words(c.trace.activation), '(', vector(rowOf(read, cell.row)), '·', sub('W', count(1)), '+', sub('b', count(1)), ')', '=', vector(rowOf(hidden, cell.row))),
        line(vector(rowOf(hidden, cell.row)), '·', sub('W', count(2)), '+', sub('b', count(2)), '=', vector(rowOf(output, cell.row))),
        line(count(read.cols), '→', count(hidden.cols), '→', count(output.cols)),
      ];
    },
  },

  layers: {
    controls: [],
    matrices: (c) =>
      Array.from({ length: c.trace.encoderLayers }, (_, i) => ({
        ...show(c, `encoder.layers.${i}.output`, 'after', source(c)),
        title: `${text().matrix.after} ${i + 1}`,
      })),
    formula: (c, cell) => [
      line(
        ...Array.from({ length: Math.min(4, c.trace.encoderLayers) }, (_, i) => i).flatMap((i) => {
          const value = vector(rowOf(matrix(c, `encoder.layers.${i}.output`), cell.row), 2);
          return i === 0 ? [value] : ['→', value];
        }),
      ),
    ],
  },

  encoded: {
    controls: ['positions', 'padded'],
    matrices: (c) => [show(c, 'encoder.output', 'encoded', source(c))],
    formula: (c, cell) => [
      line(words(source(c)[cell.row] ?? ''), '→', vector(rowOf(matrix(c, 'encoder.output'), cell.row), 4)),
    ],
  },

  input: {
    controls: ['positions'],
    matrices: (c) => [show(c, 'decoder.embedding.sum', 'decoderInput', inputs(c))],
    formula: (c, cell) => [
      line(
        root(count(c.trace.dModel)), '·', sub('E', named(inputs(c), cell.row)), ...(c.options.positions ? ['+', sub('PE', count(cell.row))] : []), '=',
        at(matrix(c, 'decoder.embedding.scaled'), cell),
        ...(c.options.positions ? ['+', at(matrix(c, 'decoder.embedding.positions'), cell)] : []), '=',
        result(at(matrix(c, 'decoder.embedding.sum'), cell)),
      ),
    ],
  },

  self: {
    controls: ['causal', 'decoderLayer', 'decoderHead'],
    matrices: (c) => [
      { ...show(c, `${past(c)}.weights`, 'weights', inputs(c), inputs(c), false), future: !c.options.causal },
      show(c, `${past(c)}.masked`, 'masked', inputs(c), inputs(c)),
    ],
    formula: (c, cell) => [
      ...scoreLines(c, past(c), c.trace.decoderScale, cell, inputs(c), inputs(c)),
      ...softmaxLines(matrix(c, `${past(c)}.masked`), matrix(c, `${past(c)}.weights`), cell),
    ],
  },

  cross: {
    controls: ['padded', 'decoderLayer', 'decoderHead'],
    matrices: (c) => [
      show(c, `${cross(c)}.weights`, 'weights', inputs(c), source(c), false),
      show(c, `${cross(c)}.masked`, 'masked', inputs(c), source(c)),
    ],
    formula: (c, cell) => [
      ...scoreLines(c, cross(c), c.trace.decoderScale, cell, inputs(c), source(c)),
      ...softmaxLines(matrix(c, `${cross(c)}.masked`), matrix(c, `${cross(c)}.weights`), cell),
    ],
  },

  decoded: {
    controls: [],
    matrices: (c) => [
      show(c, 'decoder.output', 'decoded', inputs(c)),
      ...Array.from({ length: c.trace.decoderLayers }, (_, i) => ({
        ...show(c, `decoder.layers.${i}.output`, 'after', inputs(c)),
        title: `${text().matrix.after} ${i + 1}`,
      })),
    ],
    formula: (c, cell) => [
      line(words(inputs(c)[cell.row] ?? ''), '→', vector(rowOf(matrix(c, 'decoder.output'), cell.row), 4)),
    ],
  },

  logits: {
    controls: ['step'],
    matrices: (c) => {
      const logits = matrix(c, 'decoder.logits');
      const rows = Math.ceil(logits.cols / kFold);
      const values = new Float32Array(rows * kFold).fill(-Infinity);
      values.set(logits.values);
      return [
        {
          data: { ...logits, rows, cols: kFold, values },
          title: text().matrix.logits!,
          rows: Array.from({ length: rows }, (_, i) => String(i * kFold)),
          cols: null,
          signed: true,
          shape: [1, logits.cols],
          cellName: ({ row: r, col }) => `id ${r * kFold + col}`,
        },
      ];
    },
    formula: (c) => {
      const step = c.trace.steps[c.options.step]!;
      const h = rowOf(matrix(c, 'decoder.output'), c.options.step);
      return [
        line('z', '(', words(pieceText(step.chosen.piece)), ')', '=', vector(h), '·', sub('E', words(pieceText(step.chosen.piece))), '+', 'b', '=', result(step.chosen.logit)),
      ];
    },
    extra: ({ trace, options }) => [candidates(trace.steps[options.step]!, 'logit')],
  },

  probabilities: {
    controls: ['step'],
    matrices: kNone,
    formula: ({ trace, options }) => {
      const step = trace.steps[options.step]!;
      return [
        line(
          'p', '(', words(pieceText(step.chosen.piece)), ')', '=', fraction(sup('e', step.chosen.logit), row('∑', sup('e', 'z'))), '=',
          sup('e', row(step.chosen.logit, '−', step.logSumExp)), '=', result(step.chosen.probability),
        ),
      ];
    },
    extra: ({ trace, options }) => [candidates(trace.steps[options.step]!, 'probability')],
  },

  loop: {
    controls: ['step'],
    matrices: kNone,
    formula: ({ trace, options }) => {
      const step = trace.steps[options.step]!;
      return [line(words(`${text().reads} ${inputText(trace, options.step)}`), '→', words(`${text().writesWord} ${pieceText(step.chosen.piece)}`))];
    },
    extra: ({ trace, options }) => [
      make(
        'ol',
        'inside-loop',
        ...trace.steps.map((step, i) => {
          const item = make(
            'li',
            i < options.step ? 'done' : i === options.step ? 'now' : 'later',
            make('span', 'inside-piece', inputText(trace, i)),
            make('span', 'inside-arrow', '→'),
            make('span', 'inside-piece', i <= options.step ? pieceText(step.chosen.piece) : '…'),
            make('span', 'inside-id', i <= options.step ? percent(step.chosen.probability) : ''),
          );
          if (i === options.step) item.setAttribute('aria-current', 'step');
          return item;
        }),
      ),
      make('p', 'about', options.step === trace.steps.length - 1 ? text().end : ''),
      candidates(trace.steps[options.step]!, 'probability'),
    ],
  },
};

export function percent(probability: number): string {
  return new Intl.NumberFormat(document.documentElement.lang || 'en', {
    style: 'percent',
    maximumFractionDigits: probability > 0.1 ? 1 : 2,
  }).format(probability);
}

/** The most probable words of a step, as bars. */
function candidates(step: TraceStep, by: 'logit' | 'probability'): HTMLElement {
  const list = make('ol', 'inside-candidates');
  const listed = step.candidates.some(({ id }) => id === step.chosen.id);
  const entries = listed ? step.candidates : [...step.candidates, step.chosen];
  for (const candidate of entries) {
    const bar = make('span', 'inside-bar');
    bar.style.inlineSize = `${Math.max(0.4, 100 * candidate.probability)}%`;
    const item = make(
      'li',
      candidate.id === step.chosen.id ? 'chosen' : '',
      make('span', 'inside-piece', pieceText(candidate.piece)),
      make('span', 'inside-bar-room', bar),
      make('span', 'inside-id', by === 'logit' ? formatNumber(candidate.logit) : percent(candidate.probability)),
    );
    if (candidate.id === step.chosen.id) {
      const mark = step.rank === 0 ? text().chosen : `${text().chosen}, ${text().rank(step.rank + 1)}`;
      item.append(make('span', 'inside-mark', mark));
    }
    list.append(item);
  }
  return list;
}

/** Where the values of a matrix lie. */
function histogram(data: MatrixData, title: string): HTMLElement {
  const counts = data.histogram ?? new Int32Array();
  const most = counts.reduce((a, b) => Math.max(a, b), 1);
  const range = data.range ?? 0;
  const bars = svg('svg', { viewBox: `0 0 ${counts.length * 6} 104`, class: 'inside-histogram', role: 'img', preserveAspectRatio: 'none',
    'aria-label': `${title}: ${text().mean} ${formatNumber(data.mean)}, ${formatNumber(data.min)} … ${formatNumber(data.max)}` });
  counts.forEach((n, i) => {
    const height = (100 * n) / most;
    bars.append(svg('rect', { x: i * 6, y: 102 - height, width: 5, height: height + 1, class: 'inside-histogram-bar' }));
  });
  return make(
    'figure',
    'inside-spread',
    make('figcaption', '', title),
    bars,
    make('p', 'inside-axis', make('span', '', formatNumber(-range)), make('span', '', '0'), make('span', '', formatNumber(range))),
    make('p', 'inside-matrix-facts', `${text().mean} ${formatNumber(data.mean)}, σ ${formatNumber(data.deviation)}`),
  );
}
