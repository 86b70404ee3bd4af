// What a page downloads of each engine, in bytes: raw, gzip and brotli.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const here = dirname(fileURLToPath(import.meta.url));
const modules = join(here, 'node_modules');

export function compressed(files) {
  const total = { files: files.length, raw: 0, gzip: 0, brotli: 0 };
  for (const file of files) {
    const bytes = readFileSync(file);
    total.raw += bytes.length;
    total.gzip += gzipSync(bytes, { level: 9 }).length;
    total.brotli += brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } }).length;
  }
  return total;
}

/**
 * Our module as scripts/bench builds it: {shared: scripts of every page, variants: name -> {wasm, scripts}}. A page loads
 * the shared scripts and one variant.
 */
export function ourFiles(root) {
  const assets = join(root, 'build', 'bench', 'page', 'assets');
  if (!existsSync(assets)) return null;
  const all = readdirSync(assets, { recursive: true }).map(String);
  const variants = {};
  const own = new Set();
  for (const file of all.filter((name) => name.endsWith('.wasm'))) {
    const glue = file.replace(/\.wasm$/, '.js'); // where it is a file of its own, it lies beside it
    const name = basename(file).replace(all.includes(glue) ? /\.wasm$/ : /-[\w-]{8}\.wasm$/, ''); // a bundler adds a hash
    if (all.includes(glue)) own.add(glue);
    variants[name] = { wasm: join(assets, file), scripts: all.includes(glue) ? [join(assets, glue)] : [] };
  }
  const shared = all.filter((name) => name.endsWith('.js') && !own.has(name)).map((name) => join(assets, name));
  return { shared, variants };
}

/** [{engine, wasm: {raw, gzip, brotli}, js: ...} or {engine, failure}] */
export function measureSizes(root) {
  const rows = [];
  const ours = ourFiles(root);
  if (ours) {
    for (const [engine, { wasm, scripts }] of Object.entries(ours.variants)) {
      rows.push({ engine, wasm: compressed([wasm]), js: compressed([...ours.shared, ...scripts]) });
    }
  } else {
    rows.push({ engine: 'translucent', failure: 'build/bench/page: not built' });
  }
  const peers = {
    bergamot: {
      wasm: ['@browsermt/bergamot-translator/worker/bergamot-translator-worker.wasm'],
      js: ['translator.js', 'worker/translator-worker.js', 'worker/bergamot-translator-worker.js'].map(
        (name) => `@browsermt/bergamot-translator/${name}`,
      ),
    },
    fxtranslate: { wasm: ['fxtranslate/wasm/fxtranslate_wasm_bg.wasm'], js: ['fxtranslate/wasm/fxtranslate_wasm.js'] },
    'transformers.js': {
      wasm: ['onnxruntime-web/dist/ort-wasm-simd-threaded.wasm'],
      js: ['@huggingface/transformers/dist/transformers.web.min.js', 'onnxruntime-web/dist/ort.wasm.bundle.min.mjs'],
    },
  };
  for (const [engine, { wasm, js }] of Object.entries(peers)) {
    const at = (names) => names.map((name) => join(modules, name));
    try {
      rows.push({ engine, wasm: compressed(at(wasm)), js: compressed(at(js)) });
    } catch (error) {
      rows.push({ engine, failure: error.message });
    }
  }
  return rows;
}
