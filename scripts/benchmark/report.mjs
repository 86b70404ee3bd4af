// Results as Markdown.

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
      ? [label, `not measured: ${result.failure}`, '', '', '', '', '']
      : [label, spread(result.local), spread(result.downloaded), megabytes(result.bytes),
        ...[[result.peak, blank?.now], [result.settled, blank?.now], [result.own, blank?.own]].map(([bytes, none]) =>
          bytes.length && none ? megabytes(summary(bytes).median - none) : '–')]);
  return table(['engine', 'first translation, ms', 'with the download at 50 Mbit/s, ms', 'downloaded, MB', 'peak resident, MB over a blank page', 'resident after it, MB over a blank page', 'of that the page\'s own'], rows);
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
      Object.entries(one).filter(([key]) => /\/s$|%$/.test(key)).map(([key, value]) => `${key} ${number(value)}`).join(', ')]));
  return table(['target', 'kernel', 'time', 'rate'], rows);
}

// [where, peer, workload, what is wanted of us at least, the aim], both in times the peer's speed.
const bar = [
  ['browser', 'bergamot', 'one25', 2, 3],
  ['browser', 'bergamot', 'batch32', 1.5, 2.5],
  ['browser', 'fxtranslate', 'one25', 2, 3],
  ['browser', 'transformers.js', 'one25', 5, 10],
  ['browser', 'transformers.js', 'batch32'],
  ['native', 'ctranslate2', 'one25', 1, 1.3],
  ['native', 'ctranslate2', 'batch32', 1, 1.3],
  ['native', 'fxtranslate', 'one25', 1, 1.3],
  ['native', 'fxtranslate', 'batch32', 1, 1.3],
];
const measured = (entry, where, label, key) => entry?.[where]?.[label]?.workloads?.[key]?.milliseconds ?? [];

// Marks a case in which our engine runs `instead` of the case's decoder, which it cannot read.
const otherDecoder = '†';
const title = ({ name, instead }) => name + (instead ? otherDecoder : '');

/** How many times as long the peer takes. */
function speedUp(entry, where, peer, key) {
  const ours = measured(entry, where, 'translucent', key);
  const theirs = measured(entry, where, peer, key);
  return ours.length && theirs.length ? times(ratio(theirs, ours)) : '–';
}

/** One table for the README: our speed in times each peer's, for every model we can run. */
function overview(results, workloads) {
  const cases = results.cases.filter((entry) =>
    ['browser', 'native'].some((where) => measured(entry, where, 'translucent', 'one25').length));
  const place = { browser: 'Chromium', native: 'native' };
  const rows = bar
    .map(([where, peer, key, least, aim]) => [
      `${place[where]}, ${workloads[key].name}, against ${peer}`,
      ...cases.map((entry) => speedUp(entry, where, peer, key)), least ? `${least}×` : '', aim ? `${aim}×` : ''])
    .filter((row) => row.slice(1, 1 + cases.length).some((cell) => cell !== '–'));
  const threads = (where, two, one) => [
    `${place[where]}, batch of 32 sentences, two threads against one`,
    ...cases.map((entry) => {
      const [a, b] = [measured(entry, where, one, 'batch32'), measured(entry, where, two, 'batch32')];
      return a.length && b.length ? times(ratio(a, b)) : '–';
    }), '1.6×', '1.9×'];
  const relaxed = 'translucent-relaxed';
  for (const row of [threads('native', 'translucent, 2 threads', 'translucent'),
    threads('browser', `${relaxed}-threads alone, 2 threads`, `${relaxed} alone`)]) {
    if (row.slice(1, 1 + cases.length).some((cell) => cell !== '–')) rows.push(row);
  }
  const resident = (key, of) => cases.map(({ cold, blank, modelBytes }) => {
    const bytes = cold?.translucent?.[key] ?? [];
    return bytes.length && blank ? `${megabytes(summary(bytes).median - blank[of] - modelBytes)} MB` : '–';
  });
  for (const [what, cells, least] of [
    ['Chromium, memory of the page\'s own after one sentence, over a blank page and the model\'s bytes', resident('own', 'own'), '40 MB'],
    ['the same with the pages of the browser\'s program that it touches', resident('settled', 'now'), '']]) {
    if (cells.some((cell) => cell !== '–')) rows.push([what, ...cells, least, '']);
  }
  return rows.length ? table(['times as fast as the peer', ...cases.map(title), 'at least', 'aim'], rows) : '';
}

/** The int8 product against what bare loops reach (tests/bench): share in percent, or nothing where that is not known. */
function kernelShares(kernels) {
  const rows = kernels.flatMap(({ target, benchmarks = [] }) => {
    const shares = new Map(); // kernels -> {rows: percent}
    for (const one of benchmarks) {
      const [, set, rowsOfX] = /^int8_share\/([^/]+)\/K:512\/N:2048\/M:(1|16)$/.exec(one.name) ?? [];
      if (set) shares.set(set, { ...shares.get(set), [rowsOfX]: `${Math.round(one['share%'])} %` });
    }
    return [...shares].map(([set, share]) => [`${target}: ${set}`, share[1] ?? '–', share[16] ?? '–']);
  });
  return rows.length
    ? table(['int8 product of 512 × 2,048, share of what bare loops reach', 'one row', '16 rows'],
      [...rows, ['at least (aim)', '80 % (100 %)', '80 % (100 %)']])
    : '';
}

/** What int8 weights cost our models. */
function quality(differences) {
  if (!differences?.length) return [];
  const points = (value) => value.toFixed(1).replace('-0.0', '0.0').replace('-', '−');
  const mean = differences.reduce((sum, value) => sum + value, 0) / differences.length;
  return [`BLEU of our models with int8 weights less that with float32 ones (beam 4, ${differences.length} test sets, by their cards): ${points(mean)} on average, ` +
    `from ${points(Math.min(...differences))} to ${points(Math.max(...differences))}; at least −0.3, aim 0.`, ''];
}

/** What a sentence costs by tests/bench/search_bench.cc, each quantity varied by itself. */
function growth(kernels) {
  const quantities = ['batch of', 'tokens:', 'vocabulary:', 'beam:']; // in the order of the names
  const all = kernels.map(({ target, benchmarks = [] }) => {
    const found = benchmarks.flatMap((one) => {
      const [, set, ...values] = /^search\/([^/]+)\/batch:(\d+)\/length:(\d+)\/vocabulary:(\d+)\/beam:(\d+)$/.exec(one.name) ?? [];
      return set ? [{ set, values: values.map(Number), milliseconds: one.ms, ofUsual: one.times }] : [];
    });
    return { target, found };
  }).filter(({ found }) => found.length);
  if (!all.length) return '';
  const usual = all[0].found[0].values; // the first is what the others vary
  const cells = (values, show) => all.map(({ found }) => {
    const one = found.find((other) => `${other.values}` === `${values}`);
    return one ? show(one) : '–';
  });
  const rows = quantities.flatMap((text, at) =>
    all[0].found.filter(({ values }) => values.every((value, i) => i === at || value === usual[i]) && values[at] !== usual[at])
      .map(({ values }) => [`${text} ${number(values[at])}`, ...cells(values, (one) => times(one.ofUsual))]));
  const [, length, vocabulary] = usual;
  return table(['what a sentence takes', ...all.map(({ target, found }) => `${target}: ${found[0].set}`)],
    [[`one sentence of ${length} tokens, vocabulary ${number(vocabulary)}, greedy`, ...cells(usual, ({ milliseconds }) => `${number(milliseconds)} ms`)], ...rows]);
}

/** What was measured when and at which commit: [['abc1234 (2026-11-22)', ['zh-en, tiny in Chromium', ...]], ...]. */
function occasions({ cases, measured }) {
  const found = new Map(); // occasion -> place -> models
  const add = (at, place, ...names) => {
    if (!at) return;
    const key = `${at.translucent} (${at.date})`;
    const places = found.get(key) ?? new Map();
    found.set(key, places.set(place, [...(places.get(place) ?? []), ...names]));
  };
  for (const [part, place] of [['browser', 'in Chromium'], ['cold', 'on a page just opened'], ['native', 'natively']]) {
    for (const entry of cases) add(entry.measured[part], place, entry.name);
  }
  add(measured.sizes, 'sizes');
  add(measured.kernels, 'kernels');
  return [...found].map(([key, places]) => [key, [...places].map(([place, names]) => [names.join(', '), place].filter(Boolean).join(' '))]);
}

/** When, where and with what it was measured. */
function circumstances(results) {
  const { machine, versions, settings } = results;
  const caches = Object.entries(machine.caches ?? {}).map(([level, size]) => `, L${level} ${size}`).join('');
  const processor = `${machine.processor}, ${machine.cores} cores (${machine.instructions.join(', ')})${caches}, ${machine.memoryGiB} GiB`;
  const peers = Object.entries(versions).filter(([name, version]) => version && name !== 'translucent');
  const at = occasions(results);
  const ours = at.length === 1 ? at[0][0] : at.map(([key, parts]) => `${key} for ${parts.join('; ')}`).join(' · ');
  return [`${processor}, ${machine.system}. ${settings.quick ? 'Quick run. ' : ''}One thread each, greedy search, no vocabulary shortlist.`,
    `Translucent ${ours}.`,
    `Peers: ${peers.map(([name, version]) => `${name} ${version}`).join(', ')}.`];
}

/** The README's part: how many times as fast as each peer. `records`: [[file name, results], ...], a machine each. */
export function readmePart(records, workloads) {
  const partsOf = ({ cases, measured }) => [measured, ...cases.map((entry) => entry.measured)].flatMap(Object.keys).length;
  const sorted = [...records].sort(([, a], [, b]) => partsOf(b) - partsOf(a));
  const lines = sorted.flatMap(([name, results], i) => [
    ...(i > 0 ? ['On another machine:', ''] : []),
    ...circumstances(results),
    `Every figure: [scripts/benchmark/results/${name}.md](scripts/benchmark/results/${name}.md).`, '',
    overview(results, workloads), '',
    ...(results.kernels ? [kernelShares(results.kernels), ''] : []),
  ]);
  const { instead } = sorted.flatMap(([, { cases }]) => cases).find((entry) => entry.instead) ?? {};
  if (instead) {
    lines.push(`${otherDecoder} peers with the SSRU decoder beside Translucent with a ${instead} in the same shape, which is more work: it does not read the former yet.`, '');
  }
  const latest = sorted.map(([, results]) => results).sort((a, b) => b.date.localeCompare(a.date))[0];
  return [...lines, ...quality(latest.int8Differences)].join('\n').trimEnd();
}

/** The whole report. */
export function markdown(results, workloads) {
  const parts = ['## Benchmark', '', ...circumstances(results), '',
    overview(results, workloads), '',
    ...(results.kernels ? [kernelShares(results.kernels), ''] : []),
    ...quality(results.int8Differences),
    'In the tables below a cell is the median time in milliseconds [quartiles]; **N×** says how many times as long as `translucent` that is, the',
    'median over the texts both translated, in turns.'];
  for (const entry of results.cases) {
    const weights = entry.kind === 'random' ? 'random weights' : 'our model';
    parts.push('', `### ${title(entry)} (${weights}; ${entry.shape}; ${number(entry.parameters / 1e6)} M parameters)`);
    if (entry.instead) parts.push('', `${otherDecoder} \`translucent\` with a ${entry.instead} in the same shape, which is more work: it does not read this one yet.`);
    if (entry.browser) parts.push('', 'In Chromium:', '', groupTable(entry.browser, workloads));
    if (entry.cold) parts.push('', 'A page just opened, one sentence of 25 words:', '', coldTable(entry));
    if (entry.native) parts.push('', 'Native:', '', groupTable(entry.native, workloads));
  }
  if (results.sizes) parts.push('', '### Size', '', sizeTable(results.sizes));
  const grown = growth(results.kernels ?? []);
  if (grown) {
    parts.push('', '### How the cost of a sentence grows', '',
      'The search alone, with random weights in the shape of `tiny`; targets are as long as their sources. Below the first row: times what the first takes, in turns with it.', '', grown);
  }
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
