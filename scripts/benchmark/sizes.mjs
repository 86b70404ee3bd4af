// What a page downloads of each engine, in bytes: raw, gzip and brotli.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
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

/** Files of our module as scripts/bench builds it: every script, and each variant's wasm by name. */
export function ourFiles(root) {
  const assets = join(root, 'build', 'bench', 'page', 'assets');
  if (!existsSync(assets)) return null;
  const names = readdirSync(assets);
  const wasm = {};
  for (const name of names.filter((name) => name.endsWith('.wasm'))) {
    wasm[name.replace(/-[\w-]{8}\.wasm$/, '')] = join(assets, name);
  }
  return { wasm, scripts: names.filter((name) => name.endsWith('.js')).map((name) => join(assets, name)) };
}

/** [{engine, wasm: {raw, gzip, brotli}, js: ...} or {engine, failure}] */
export function measureSizes(root) {
  const rows = [];
  const ours = ourFiles(root);
  if (ours) {
    for (const [name, file] of Object.entries(ours.wasm)) {
      rows.push({ engine: name, wasm: compressed([file]), js: compressed(ours.scripts) });
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
