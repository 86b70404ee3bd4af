// The size budget of the module that ours.mjs has built. Called by scripts/benchmark/size.

import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compressed, ourFiles } from './sizes.mjs';

const wasmLimit = 250_000; // bytes, gzip: the variant most visitors get
const scriptLimit = 25_000; // bytes, brotli: every script of the module

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const { wasm, scripts } = ourFiles(root);
const relaxed = Object.keys(wasm).filter((name) => /relaxed/.test(name) && !/thread/.test(name));
const names = relaxed.length ? relaxed : Object.keys(wasm); // one module only: it is what everybody gets

let passed = 0;
let failed = 0;
function check(what, bytes, limit) {
  const fits = bytes <= limit;
  if (fits) passed++;
  else failed++;
  console.log(`${fits ? 'ok' : 'over budget'}: ${what}: ${bytes.toLocaleString('en-US')} of ${limit.toLocaleString('en-US')} bytes`);
}
for (const name of names) check(`${name}.wasm, gzip`, compressed([wasm[name]]).gzip, wasmLimit);
check(`${scripts.length} scripts, brotli`, compressed(scripts).brotli, scriptLimit);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed || !passed ? 1 : 0;
