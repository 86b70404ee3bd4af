// The size budget of the module that ours.mjs has built. Called by scripts/benchmark/size.

import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compressed, ourFiles } from './sizes.mjs';

const wasmLimit = 250_000; // bytes, gzip: the variant most visitors get
const scriptLimit = 25_000; // bytes, brotli: every script that a page loads, whichever variant it runs

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const { shared, variants } = ourFiles(root);
const relaxed = 'translucent-relaxed' in variants ? 'translucent-relaxed' : 'translucent';

let passed = 0;
let failed = 0;
function check(what, bytes, limit) {
  const fits = bytes <= limit;
  if (fits) passed++;
  else failed++;
  console.log(`${fits ? 'ok' : 'over budget'}: ${what}: ${bytes.toLocaleString('en-US')} of ${limit.toLocaleString('en-US')} bytes`);
}
check(`${relaxed}.wasm, gzip`, compressed([variants[relaxed].wasm]).gzip, wasmLimit);
for (const [name, { scripts }] of Object.entries(variants)) {
  check(`scripts with ${name}, brotli`, compressed([...shared, ...scripts]).brotli, scriptLimit);
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed || !passed ? 1 : 0;
