// Measures every engine on every case and writes results.json and results.md. Called by scripts/bench.
//
//   node run.mjs [--quick] [--only browser,cold,native,kernels,size] [--models NAME,...] [--output DIR] [--record]
//
// Engines take turns at every text, so that whatever else the machine does meets all of them; what is reported is the
// median and the quartiles, and the ratio of two engines is the median over the texts both translated. A turn from which
// the host took processor time is made up for with another text.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { launch } from '../../web/scripts/browser.mjs';
import { BrowserEngine, CommandEngine, modelInfo, PythonEngine, stolen } from './engines.mjs';
import { measureKernels } from './kernels.mjs';
import { markdown, readmePart } from './report.mjs';
import { Server } from './server.mjs';
import { measureSizes } from './sizes.mjs';
import { summary } from './statistics.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '..', '..');
const build = join(root, 'build', 'bench');
const recorded = join(here, 'results');
const models = join(build, 'models');
const python = join(build, 'venv', 'bin', 'python');
const wasm = join(root, 'build', 'wasm');
const binary = process.env.TRANSLUCENT_CLI ?? join(root, 'build', 'native', 'translucent');
const parts = ['size', 'kernels', 'native', 'cold', 'browser'];
const lineRate = 50e6; // bits per second of a cold start with its download

// How many texts in each: beside the peers, and (`variants`) of our modules alone among themselves.
const workloads = {
  one10: { name: 'one sentence, 10 words', full: 9, quick: 4 },
  one25: { name: 'one sentence, 25 words', full: 60, quick: 6, variants: { full: 30, quick: 6 } },
  one60: { name: 'one sentence, 60 words', full: 6, quick: 3 },
  batch32: { name: 'batch of 32 sentences', full: 7, quick: 3, variants: { full: 24, quick: 6 } },
  batch512: { name: 'batch of 512 sentences', full: 2, quick: 0 },
  document: { name: 'document of 2,000 words', full: 3, quick: 1 },
};
const longest = { full: 120_000, quick: 25_000 }; // ms: what would take longer is left out, and said so
const cold = { full: 5, quick: 2 };
const disturbing = 0.1; // the share of a turn that the host took
const fewest = 3; // undisturbed turns each engine needs in common with ours; where one has fewer, all turns of all count

function progress(text) {
  process.stderr.write(`bench: ${text}\n`);
}

const reason = (error) =>
  String(error?.message ?? error)
    .replace(/^page\.evaluate: /, '')
    .split('\n')[0]
    .slice(0, 200);

function machine() {
  const flags = /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? '';
  const sets = ['avx2', 'avx512f', 'avx512_vnni', 'avx_vnni', 'amx_int8'].filter((set) => flags.split(' ').includes(set));
  const memory = /MemTotal:\s+(\d+)/.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1];
  const system = /^PRETTY_NAME="(.*)"$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? process.platform;
  return {
    processor: cpus()[0].model,
    cores: cpus().length,
    instructions: sets,
    memoryGiB: Math.round(Number(memory) / 2 ** 20),
    caches: caches(),
    system,
  };
}

/** Of the first core: {2: '2 MiB', 3: ...}; empty where the kernel does not say. */
function caches() {
  const folder = '/sys/devices/system/cpu/cpu0/cache';
  const read = (name) => (existsSync(join(folder, name)) ? readFileSync(join(folder, name), 'utf8').trim() : '');
  const sizes = [0, 1, 2, 3].map((i) => [read(`index${i}/level`), /^(\d+)K$/.exec(read(`index${i}/size`))?.[1]]);
  return Object.fromEntries(sizes.filter(([level, size]) => level > 1 && size).map(([level, size]) => [level, `${size / 1024} MiB`]));
}

function versions(browserVersion) {
  const installed = (name) => JSON.parse(readFileSync(join(here, 'node_modules', name, 'package.json'), 'utf8')).version;
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim();
  const pinned = Object.fromEntries(
    readFileSync(join(here, 'requirements.txt'), 'utf8')
      .split('\n')
      .filter((line) => line.includes('==') && !line.startsWith('#'))
      .map((line) => line.split('==')),
  );
  return {
    translucent: commit,
    chromium: browserVersion,
    node: process.version,
    'npm @browsermt/bergamot-translator': installed('@browsermt/bergamot-translator'),
    'npm fxtranslate': installed('fxtranslate'),
    'npm @huggingface/transformers': installed('@huggingface/transformers'),
    'npm onnxruntime-web': installed('onnxruntime-web'),
    'PyPI ctranslate2': pinned.ctranslate2,
    'PyPI fxtranslate': pinned.fxtranslate,
    'PyPI transformers': pinned.transformers,
  };
}

const targetTokens = (texts) => texts.reduce((sum, text) => sum + text.split(' ').filter(Boolean).length, 0);

/** Opens, warms and measures a group of engines of one case; `engines`: label -> {make, only}; `about`: its case.json;
 * `among`: from a workload to how many texts of it, {full, quick}. */
async function measureGroup(name, engines, work, about, { quick, among = (workload) => workload }) {
  const extent = quick ? 'quick' : 'full';
  const results = {};
  const open = [];
  for (const [label, { make, missing, only }] of Object.entries(engines)) {
    const result = { workloads: {} };
    results[label] = result;
    if (missing) {
      result.failure = missing;
      continue;
    }
    progress(`${name}: ${label}: load and warm up`);
    const engine = make();
    try {
      result.load = (await engine.open()).milliseconds;
      result.about = engine.about;
      const warm = quick ? 8 : 16;
      for (const texts of work.warm.runs.slice(0, warm)) await engine.translate(texts, work.warm.length);
      await engine.translate(work.warm.runs.flat().slice(0, 8), work.warm.length);
      open.push({ label, engine, result, only });
    } catch (error) {
      result.failure = reason(error);
      progress(`${name}: ${label}: ${result.failure}`);
      await engine.close();
    }
  }

  for (const [key, workload] of Object.entries(workloads)) {
    const repeats = among(workload)?.[extent] ?? 0;
    const { length, runs } = work[key];
    const measured = () => open.map(({ result }) => result.workloads[key]).filter((record) => record?.milliseconds.length);
    // Turns that neither an engine nor ours was disturbed at, of the engine that has fewest.
    const undisturbed = () => {
      const records = measured(); // ours is the first, if it runs
      return Math.min(...records.map(({ milliseconds, disturbed }) =>
        milliseconds.length - new Set([...disturbed, ...records[0].disturbed]).size));
    };
    for (let run = 0; run < runs.length && repeats > 0 && (run < repeats || undisturbed() < repeats); run++) {
      // Each begins in its turn, in one direction and the other: what an engine leaves to do behind it, or in the caches,
      // is not to meet the same one every time.
      const order = open.map((_, turn) => open[(turn + (run >> 1)) % open.length]);
      for (const { engine, result, label, only } of run % 2 ? order.reverse() : order) {
        if (result.failure || (only && !only.includes(key))) continue;
        const record = (result.workloads[key] ??= { milliseconds: [], disturbed: [] });
        if (record.failure || record.skipped) continue;
        const texts = engine.splits ? runs[run] : (work[key].sentences ?? runs)[run];
        const expected = expectedTime(result, key, work);
        if (expected > (quick ? longest.quick : longest.full)) {
          record.skipped = `about ${Math.round(expected / 1000)} s by its smaller runs`;
          continue;
        }
        try {
          const before = stolen();
          const answer = await engine.translate(texts, length);
          let { milliseconds } = answer;
          const disturbed = stolen() - before > disturbing * milliseconds;
          if (about.kind === 'random') {
            // An engine with a limit of its own is brought to the same number of target tokens.
            const tokens = targetTokens(answer.texts);
            if (tokens === 0) throw new Error('an empty translation');
            record.tokens = tokens / texts.length;
            milliseconds *= (length * texts.length) / tokens;
          }
          if (disturbed) record.disturbed.push(run);
          record.milliseconds.push(milliseconds);
        } catch (error) {
          record.failure = reason(error);
          progress(`${name}: ${label}: ${key}: ${record.failure}`);
        }
      }
    }
    // For all engines or for none: quiet turns of one are not to stand beside disturbed ones of another.
    if (undisturbed() >= fewest) {
      for (const { milliseconds, disturbed } of measured()) for (const run of disturbed) milliseconds[run] = null;
    }
    if (repeats) {
      const shown = open.map(({ label, result }) => {
        const times = result.workloads[key]?.milliseconds;
        return times?.length ? `${label} ${Math.round(summary(times).median)}` : '';
      });
      progress(`${name}: ${workload.name}: ${shown.filter(Boolean).join(', ')} ms`);
    }
  }

  for (const { engine, result, only } of open) {
    try {
      if (!only) result.outputs = (await engine.translate(work.compare.runs[0], work.compare.length)).texts;
    } catch (error) {
      result.failure = reason(error);
    }
    result.memory = await engine.close();
  }
  if (!about.instead) compare(results); // another model's outputs are others
  return results;
}

/** Milliseconds a run will take, from the largest of the smaller ones that was measured; 0: not known. */
function expectedTime(result, key, work) {
  const characters = (name) => work[name].runs[0].join('').length;
  const smaller = { document: ['batch32', 'one25'], batch512: ['batch32', 'one25'], batch32: ['one25'] }[key] ?? [];
  const from = smaller.find((name) => result.workloads[name]?.milliseconds.length);
  if (!from) return 0;
  return (summary(result.workloads[from].milliseconds).median * characters(key)) / characters(from);
}

/** Counts the sentences whose translation is not the reference's: transformers', where it ran, else ours. */
function compare(results) {
  const from = results.transformers?.outputs ? 'transformers' : 'translucent';
  const reference = results[from]?.outputs;
  for (const result of Object.values(results)) {
    if (result.outputs && reference && result.outputs.length === reference.length) {
      const different = result.outputs.filter((text, i) => text.trim() !== reference[i].trim()).length;
      result.differences = { from, different, of: reference.length };
    }
  }
}

/** First translation of a page just opened, with the download and without, and what the renderer then holds. */
async function measureCold(name, engines, server, work, options) {
  const repeats = options.quick ? cold.quick : cold.full;
  const results = {};
  for (let run = 0; run < repeats; run++) {
    for (const rate of [0, lineRate]) {
      for (const [label, { make, missing, only }] of Object.entries(engines)) {
        if (only) continue;
        const result = (results[label] ??= { local: [], downloaded: [], peak: [], settled: [], own: [] });
        if (missing) result.failure = missing;
        if (result.failure) continue;
        const engine = make();
        server.bitsPerSecond = rate;
        server.sent = 0;
        try {
          await engine.open();
          const { sinceNavigation } = await engine.translate(work.one25.runs[run], work.one25.length);
          result[rate ? 'downloaded' : 'local'].push(sinceNavigation);
          result.bytes = server.sent;
        } catch (error) {
          result.failure = reason(error);
        }
        server.bitsPerSecond = 0;
        const memory = await engine.close();
        if (memory && !rate && !result.failure) {
          result.peak.push(memory.peak);
          result.settled.push(memory.now);
          result.own.push(memory.own);
        }
      }
    }
    progress(`${name}: cold page ${run + 1} of ${repeats}`);
  }
  return results;
}

/** What a page without any engine holds: {now, own}, medians of a few. */
async function blankMemory(make) {
  const pages = [];
  for (let run = 0; run < 5; run++) {
    const engine = make();
    await engine.open();
    const memory = await engine.close();
    if (memory) pages.push(memory);
  }
  if (!pages.length) return null;
  const middle = (key) => summary(pages.map((page) => page[key])).median;
  return { now: middle('now'), own: middle('own') };
}

/** BLEU of our models with int8 weights less that with float32 ones, by their cards' tables at beam 4: a number a test set. */
function int8Differences() {
  const shipped = join(root, 'web', 'public', 'models');
  return readdirSync(shipped, { withFileTypes: true }).filter((entry) => entry.isDirectory()).flatMap(({ name }) => {
    const card = readFileSync(join(shipped, name, 'model-card.md'), 'utf8');
    const scores = new Map(); // test set -> {system: BLEU}
    for (const [, set, system, bleu] of card.matchAll(/^\| ([^|]+) \| [\d,]+ \| (translucent[^|]*) \| 4 \| ([\d.]+) \|/gm)) {
      scores.set(set, { ...scores.get(set), [system]: Number(bleu) });
    }
    return [...scores.values()].map((of) => of.translucent - of['translucent, f32 weights']).filter(Number.isFinite);
  });
}

/** Names of our WebAssembly modules: a page loads the one that suits the browser. */
function ourVariants() {
  const files = existsSync(wasm) ? readdirSync(wasm) : [];
  return files.filter((file) => /^translucent[a-z-]*\.js$/.test(file)).map((file) => file.replace('.js', ''));
}

async function main() {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string', default: parts.join(',') },
      models: { type: 'string' },
      output: { type: 'string', default: join(build, 'results') },
      record: { type: 'boolean', default: false },
    },
  });
  const chosen = values.only.split(',');
  const wrong = chosen.find((part) => !parts.includes(part));
  if (wrong) throw Object.assign(new Error(`--only ${wrong}: there are ${parts.join(', ')}`), { usage: true });
  const names = values.models ? values.models.split(',') : [];
  const began = Date.now();
  const results = {
    date: new Date().toISOString().slice(0, 10),
    machine: machine(),
    settings: { quick: values.quick, lineRate, threads: 1, beam: 1 },
    cases: [],
  };

  const keep = () => {
    results.minutes = Math.round((Date.now() - began) / 6000) / 10;
    return write(results, values.output);
  };

  const needsBrowser = chosen.includes('browser') || chosen.includes('cold');
  const browser = needsBrowser ? await launch() : null;
  results.versions = versions(browser?.version() ?? null);
  const now = { date: results.date, translucent: results.versions.translucent };
  results.measured = {};
  results.int8Differences = int8Differences();
  const folders = {
    page: join(here, 'page'),
    node_modules: join(here, 'node_modules'),
    ours: join(build, 'page'),
    wasm,
    models,
  };
  const server = new Server(folders); // not isolated: one thread each
  const isolated = new Server(folders, { isolated: true });
  await Promise.all([server.listen(), isolated.listen()]);

  try {
    for (const [part, key, measure] of [['size', 'sizes', measureSizes], ['kernels', 'kernels', measureKernels]]) {
      if (!chosen.includes(part)) continue;
      results[key] = measure(root, progress);
      results.measured[key] = now;
    }
    for (const name of chosen.includes('native') || needsBrowser ? names : []) {
      const folder = join(models, name);
      const about = JSON.parse(readFileSync(join(folder, 'case.json'), 'utf8'));
      const work = JSON.parse(readFileSync(join(folder, 'work.json'), 'utf8'));
      const ours = join(folder, 'translucent');
      const modelBytes = existsSync(ours) ? modelInfo(ours).files.reduce((sum, file) => sum + file.bytes, 0) : null;
      const entry = { instead: null, ...about, modelBytes, measured: {} };
      results.cases.push(entry);
      const missing = (engine) => about.missing[engine];
      if (chosen.includes('native')) {
        entry.measured.native = now;
        const command = (threads) => () => new CommandEngine({ binary, folder: ours, threads });
        const peer = (engine) => ({
          make: () => new PythonEngine({ python, script: join(here, 'native.py'), folder, engine }),
          missing: missing(engine),
        });
        entry.native = await measureGroup(`${name}, native`, {
          translucent: { make: command(1), missing: missing('translucent') },
          'translucent, 2 threads': { make: command(2), missing: missing('translucent'), only: ['batch32', 'batch512'] },
          ctranslate2: peer('ctranslate2'),
          fxtranslate: peer('fxtranslate'),
          transformers: peer('transformers'),
        }, work, about, values);
      }
      if (needsBrowser) {
        const page = (engine, { variant, threads } = {}) => () =>
          new BrowserEngine({ browser, server: threads ? isolated : server, model: name, folder, engine, variant });
        const engines = { translucent: { make: page('translucent'), missing: missing('translucent') } };
        if (ourVariants().some((variant) => variant.includes('threads'))) {
          engines['translucent, isolated page'] = {
            make: page('translucent', { threads: true }),
            missing: missing('translucent'),
            only: ['one25', 'batch32', 'batch512', 'document'],
          };
        }
        const variants = {};
        for (const variant of ourVariants()) {
          const threads = variant.includes('threads');
          variants[`${variant} alone${threads ? ', 2 threads' : ''}`] = {
            make: page('variant', { variant, threads }),
            missing: missing('translucent'),
            only: ['one25', 'batch32'],
          };
        }
        engines.bergamot = { make: page('bergamot'), missing: missing('bergamot') };
        engines.fxtranslate = { make: page('fxtranslate'), missing: missing('fxtranslate') };
        engines['transformers.js'] = { make: page('transformers.js'), missing: missing('transformers.js') };
        if (chosen.includes('cold')) {
          entry.measured.cold = now;
          entry.blank = await blankMemory(page('blank'));
          entry.cold = await measureCold(name, engines, server, work, values);
        }
        if (chosen.includes('browser')) {
          entry.measured.browser = now;
          entry.browser = await measureGroup(`${name}, Chromium`, engines, work, about, values);
          // Among themselves: a turn of every peer is long enough for the machine to be another one after it.
          const among = ({ variants }) => variants;
          Object.assign(entry.browser, await measureGroup(`${name}, Chromium, modules alone`, variants, work, about, { ...values, among }));
          if (entry.native) compareAcross(entry);
        }
      }
      keep(); // whatever comes after, this much is there
    }
  } finally {
    await browser?.close();
    server.close();
    isolated.close();
  }
  process.stdout.write(keep());
  if (values.record) record(results);
  progress(`${values.output}/results.md, results.json (${results.minutes} min)`);
}

/**
 * Makes these results the repository's: in results/, a file for each kind of processor, and as the README's tables between
 * its markers. What was recorded on the same machine with the same peers stays where it was not measured again, so that a
 * long benchmark can be run in parts; the report says when and at which commit each was measured.
 */
function record(measured) {
  const name = fileName(measured.machine.processor);
  const read = (file) => JSON.parse(readFileSync(join(recorded, file), 'utf8'));
  const files = existsSync(recorded) ? readdirSync(recorded).filter((file) => file.endsWith('.json')) : [];
  const results = files.includes(`${name}.json`) ? merged(measured, read(`${name}.json`)) : measured;
  write(results, recorded, name);
  const others = files.filter((file) => file !== `${name}.json`).map((file) => [file.replace(/\.json$/, ''), read(file)]);
  const readme = join(root, 'README.md');
  const markers = /(<!-- benchmark: [^\n]*-->\n)[\s\S]*?(<!-- end of benchmark -->)/;
  const before = readFileSync(readme, 'utf8');
  if (!markers.test(before)) throw new Error(`${readme}: no line '<!-- benchmark: ... -->' with its end`);
  writeFileSync(readme, before.replace(markers, (_, begin, end) => `${begin}${readmePart([[name, results], ...others], workloads)}\n${end}`));
}

/** 'Intel(R) Xeon(R) Processor @ 2.50GHz' -> 'intel-xeon-2.50ghz' */
function fileName(processor) {
  const words = processor.toLowerCase().replace(/\((r|tm)\)/g, ' ').match(/[a-z0-9.]+/g) ?? [];
  return words.filter((word) => word !== 'processor' && word !== 'cpu').join('-') || 'unknown';
}

/** `results` with what `earlier` adds to it. */
function merged(results, earlier) {
  const chromium = results.versions.chromium ?? earlier.versions.chromium; // null where none was needed
  const circumstances = ({ machine, versions, settings }) => {
    const { translucent: _, ...peers } = versions;
    const { caches: __, ...rest } = machine; // not in every record
    return JSON.stringify([rest, { ...peers, chromium: versions.chromium ?? chromium }, settings]);
  };
  if (circumstances(results) !== circumstances(earlier)) return results;
  const all = new Map(earlier.cases.map((entry) => [entry.name, entry]));
  for (const entry of results.cases) {
    const before = all.get(entry.name);
    all.set(entry.name, { ...before, ...entry, measured: { ...before?.measured, ...entry.measured } });
  }
  return {
    ...results,
    versions: { ...results.versions, chromium },
    sizes: results.sizes ?? earlier.sizes,
    kernels: results.kernels ?? earlier.kernels,
    measured: { ...earlier.measured, ...results.measured },
    cases: [...all.values()],
    minutes: Math.round(10 * (results.minutes + earlier.minutes)) / 10,
  };
}

function write(results, folder, name = 'results') {
  const text = markdown(results, workloads);
  // The translations themselves stay out of the file that is kept; how many differ is in it.
  const kept = JSON.stringify(results, (key, value) => (key === 'outputs' ? undefined : value), 1);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${name}.json`), `${kept}\n`);
  writeFileSync(join(folder, `${name}.md`), text);
  return text;
}

/** The browser's engines against the oracle too, which is native. */
function compareAcross(entry) {
  const reference = entry.native.transformers;
  if (!reference?.outputs) return;
  compare({ ...entry.browser, transformers: reference });
}

try {
  await main();
} catch (error) {
  console.error(`error: ${error.message}`);
  process.exitCode = error.usage || error.code?.startsWith('ERR_PARSE_ARGS') ? 2 : 1;
}
