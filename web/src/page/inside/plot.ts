// Lines over two axes, linear or logarithmic, as SVG: few points, drawn once a measurement.

import { svg } from './build';

export interface Series {
  name: string;
  points: readonly (readonly [x: number, y: number])[];
  /** Which of the plot's strokes; lines that share one differ by dashes. */
  tone: number;
  dashed?: boolean;
}

export interface PlotOptions {
  name: string;
  x: { label: string; log?: boolean; format: (value: number) => string; ticks?: readonly number[] };
  y: { label: string; log?: boolean; format: (value: number) => string; low?: number; high?: number };
  series: readonly Series[];
  /** A vertical line, and what it stands for. */
  mark?: { x: number; label: string };
}

const kWidth = 560;
const kHeight = 300;
const kEdge = { left: 64, right: 28, top: 40, bottom: 44 };

export function plot({ name, x, y, series, mark }: PlotOptions): SVGSVGElement {
  const points = series.flatMap(({ points }) => points);
  const xs = spanOf([...points.map(([px]) => px), ...(x.ticks ?? [])], x.log);
  const ys = spanOf(
    [...points.map(([, py]) => py), ...(y.low === undefined ? [] : [y.low]), ...(y.high === undefined ? [] : [y.high])],
    y.log,
  );
  const along = (value: number, [low, high]: readonly [number, number], log: boolean | undefined) =>
    log ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
  const px = (value: number) =>
    kEdge.left + along(value, xs, x.log) * (kWidth - kEdge.left - kEdge.right);
  const py = (value: number) =>
    kHeight - kEdge.bottom - along(value, ys, y.log) * (kHeight - kEdge.top - kEdge.bottom);

  const root = svg('svg', { viewBox: `0 0 ${kWidth} ${kHeight}`, class: 'inside-plot', role: 'img', 'aria-label': name });
  const label = (tx: number, ty: number, value: string, anchor: string, extra = '') =>
    svg('text', { x: tx, y: ty, 'text-anchor': anchor, class: `inside-plot-text ${extra}` }, value);
  for (const tick of y.log ? decades(ys) : steps(ys)) {
    root.append(
      svg('line', { x1: kEdge.left, x2: kWidth - kEdge.right, y1: py(tick), y2: py(tick), class: 'inside-plot-grid' }),
      label(kEdge.left - 8, py(tick) + 4, y.format(tick), 'end'),
    );
  }
  for (const tick of x.ticks ?? (x.log ? decades(xs) : steps(xs))) {
    root.append(
      svg('line', { x1: px(tick), x2: px(tick), y1: kHeight - kEdge.bottom, y2: kHeight - kEdge.bottom + 4, class: 'inside-plot-axis' }),
      label(px(tick), kHeight - kEdge.bottom + 20, x.format(tick), 'middle'),
    );
  }
  root.append(
    svg('line', { x1: kEdge.left, x2: kWidth - kEdge.right, y1: kHeight - kEdge.bottom, y2: kHeight - kEdge.bottom, class: 'inside-plot-axis' }),
    label((kEdge.left + kWidth - kEdge.right) / 2, kHeight - 6, x.label, 'middle', 'inside-plot-label'),
    label(4, 18, y.label, 'start', 'inside-plot-label'),
  );
  if (mark && mark.x >= xs[0] && mark.x <= xs[1]) {
    root.append(
      svg('line', { x1: px(mark.x), x2: px(mark.x), y1: kEdge.top, y2: kHeight - kEdge.bottom, class: 'inside-plot-mark' }),
      label(px(mark.x) + 5, kEdge.top + 12, mark.label, 'start'),
    );
  }
  for (const { points, tone, dashed, name: title } of series) {
    if (points.length === 0) continue;
    const line = svg(
      'polyline',
      {
        points: points.map(([a, b]) => `${px(a).toFixed(1)},${py(b).toFixed(1)}`).join(' '),
        class: `inside-line tone-${tone}${dashed ? ' dashed' : ''}`,
      },
      svg('title', {}, title),
    );
    root.append(line);
    if (points.length > 24) continue;
    for (const [a, b] of points) {
      root.append(
        svg('circle', { cx: px(a), cy: py(b), r: 3.5, class: `inside-dot tone-${tone}` },
          svg('title', {}, `${title}: ${x.format(a)}, ${y.format(b)}`)),
      );
    }
  }
  return root;
}

/** The names of the lines, in HTML, so that they wrap and can be selected. */
export function legend(series: readonly Series[]): HTMLElement {
  const list = document.createElement('ul');
  list.className = 'inside-legend';
  for (const { name, tone, dashed } of series) {
    const item = document.createElement('li');
    const key = svg('svg', { viewBox: '0 0 28 8', class: 'inside-key', 'aria-hidden': 'true' },
      svg('line', { x1: 0, x2: 28, y1: 4, y2: 4, class: `inside-line tone-${tone}${dashed ? ' dashed' : ''}` }));
    item.append(key, name);
    list.append(item);
  }
  return list;
}

function spanOf(values: readonly number[], log: boolean | undefined): readonly [number, number] {
  const usable = values.filter((value) => Number.isFinite(value) && (!log || value > 0));
  let low = Math.min(...usable);
  let high = Math.max(...usable);
  if (usable.length === 0) [low, high] = log ? [1, 10] : [0, 1];
  if (log) {
    if (low === high) [low, high] = [low / 2, high * 2];
    return [low, high];
  }
  if (low === high) [low, high] = [low - 1, high + 1];
  return [low, high];
}

function decades([low, high]: readonly [number, number]): number[] {
  const ticks: number[] = [];
  for (let e = Math.ceil(Math.log10(low) - 1e-9); e <= Math.floor(Math.log10(high) + 1e-9); e++) ticks.push(10 ** e);
  return ticks;
}

function steps([low, high]: readonly [number, number]): number[] {
  const rough = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((f) => f * power).find((s) => s >= rough)!;
  const ticks: number[] = [];
  for (let tick = Math.ceil(low / step) * step; tick <= high + step * 1e-6; tick += step) {
    ticks.push(Math.abs(tick) < step * 1e-6 ? 0 : tick);
  }
  return ticks;
}
