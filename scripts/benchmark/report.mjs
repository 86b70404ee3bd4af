// results.json as Markdown.

import { ratio, summary } from './statistics.mjs';

const number = (value, digits = 3) => {
  if (value === null || value === undefined || Number.isNaN(value)) return '–';
  if (value >= 1000) return Math.round(value).toLocaleString('en-US');
  return Number(value.toPrecision(digits)).toString();
};
const megabytes = (bytes) => number(bytes / 1e6);
const kilobytes = (bytes) => number(bytes / 1e3);
const spread = (times) => {
  const { median, low, high } = summary(times);
  return `${number(median)} [${number(low)}–${number(high)}]`;
};
const times = (value) => (value === null ? '–' : `${number(value, value < 10 ? 2 : 3)}×`);

function table(header, rows) {
  return [`| ${header.join(' | ')} |`, `| ${header.map(() => '---').join(' | ')} |`, ...rows.map((row) => `| ${row.join(' | ')} |`)].join('\n');
}

/** One table: a row for each engine, a column for each workload; time, then how many times ours that is. */
function groupTable(group, workloads) {
  const columns = Object.entries(workloads).filter(([key]) =>
    Object.values(group).some(({ workloads: measured }) => measured?.[key]));
  const ours = group.translucent;
  const rows = Object.entries(group).map(([label, result]) => {
    if (result.failure) return [label, `not measured: ${result.failure}`, ...columns.slice(1).map(() => ''), '', ''];
    const cells = columns.map(([key]) => {
      const record = result.workloads[key];
      if (!record) return '';
      if (record.failure) return `failed: ${record.failure}`;
      if (!record.milliseconds.length) return record.skipped ? `left out: ${record.skipped}` : '';
      const against = label === 'translucent' ? null : ratio(record.milliseconds, ours?.workloads?.[key]?.milliseconds ?? []);
      return spread(record.milliseconds) + (against === null ? '' : ` = **${times(against)}**`);
    });
    const { differences } = result;
    return [label, ...cells, result.memory ? megabytes(result.memory.peak) : '–',
      differences && differences.from !== label ? `${differences.different} of ${differences.of}` : '–'];
  });
  const from = Object.values(group).find(({ differences }) => differences)?.differences.from;
  return table(['engine', ...columns.map(([, { name }]) => `${name}, ms`), 'peak resident, MB', `outputs unlike ${from ?? 'the reference'}`], rows);
}

function coldTable({ cold, blank }) {
  const rows = Object.entries(cold).map(([label, result]) =>
    result.failure
      ? [label, `not measured: ${result.failure}`, '', '', '']
      : [label, spread(result.local), spread(result.downloaded), megabytes(result.bytes),
        result.memory.length ? megabytes(summary(result.memory).median - (blank ?? 0)) : '–']);
  return table(['engine', 'first translation, ms', 'with the download at 50 Mbit/s, ms', 'downloaded, MB', 'peak resident after it, MB over a blank page'], rows);
}

function sizeTable(sizes) {
  const cells = ({ raw, gzip, brotli }) => [kilobytes(raw), kilobytes(gzip), kilobytes(brotli)];
  const rows = sizes.map(({ engine, failure, wasm, js }) => failure
    ? [engine, `not measured: ${failure}`, '', '', '', '', '']
    : [engine, ...cells(wasm), ...cells(js)]);
  return table(['engine', 'wasm, kB', 'gzip', 'brotli', 'JS, kB', 'gzip', 'brotli'], rows);
}

function kernelTable(kernels) {
  const rows = kernels.flatMap(({ target, failure, benchmarks }) => failure
    ? [[target, `not measured: ${failure}`, '', '']]
    : benchmarks.map((one) => [target, one.name, `${number(one.real_time)} ${one.time_unit}`,
      Object.entries(one).filter(([key]) => /mac|share|ceiling/i.test(key)).map(([key, value]) => `${key} ${number(value)}`).join(', ')]));
  return table(['target', 'kernel', 'time', 'rate'], rows);
}

export function markdown(results, workloads) {
  const { machine, versions, settings } = results;
  const processor = `${machine.processor}, ${machine.cores} cores (${machine.instructions.join(', ')}), ${machine.memoryGiB} GiB`;
  const parts = ['## Benchmark', '',
    `${results.date}, ${processor}, ${machine.system}. ${settings.quick ? 'Quick run. ' : ''}One thread each, greedy search, no vocabulary shortlist.`,
    `Versions: ${Object.entries(versions).filter(([, version]) => version).map(([name, version]) => `${name} ${version}`).join(', ')}.`, '',
    'A cell is the median time in milliseconds [quartiles]; **N×** says how many times as long as `translucent` that is, the',
    'median over the texts both translated, in turns.'];
  for (const entry of results.cases) {
    const weights = entry.kind === 'random' ? 'random weights' : 'our model';
    parts.push('', `### ${entry.name} (${weights}; ${entry.shape}; ${number(entry.parameters / 1e6)} M parameters)`);
    if (entry.browser) parts.push('', 'In Chromium:', '', groupTable(entry.browser, workloads));
    if (entry.cold) parts.push('', 'A page just opened, one sentence of 25 words:', '', coldTable(entry));
    if (entry.native) parts.push('', 'Native:', '', groupTable(entry.native, workloads));
  }
  if (results.sizes) parts.push('', '### Size', '', sizeTable(results.sizes));
  if (results.kernels) parts.push('', '### Kernels', '', kernelTable(results.kernels));
  const random = results.cases.some(({ kind }) => kind === 'random');
  const notes = [
    'Bergamot places words by Marian\'s formula (its sinusoids divide by d/2 − 1), our model was trained with Hugging Face\'s (d/2): the same weights give it other outputs in part. Its int8 has one scale a matrix and saturates.',
    'Browser memory is the peak of the page\'s renderer process, native memory that of the whole process (the peers\' with Python).',
  ];
  if (random) {
    notes.push('Random weights never end a sentence: the target has twice the source\'s pieces, Bergamot\'s own limit, for every engine; an engine with another limit (fxtranslate) is scaled to the same number of tokens.');
  }
  parts.push('', ...notes.map((note) => `* ${note}`), '');
  return parts.join('\n');
}
