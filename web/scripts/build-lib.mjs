#!/usr/bin/env node
// Builds the package: web/lib, what `npm pack` packs.
//
//   node scripts/build-lib.mjs
//
// ES modules with source maps and types, the builds of the engine (../build/wasm) and the models
// (public/models). Nothing in it is to be bundled by us further: workers, engine and models are found by
// import.meta.url, in the form that bundlers understand.

import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, transformSync } from 'esbuild';
import { ownLanguages } from './ngrams.mjs';

const web = fileURLToPath(new URL('..', import.meta.url));
const lib = join(web, 'lib');
const builds = join(web, '../build/wasm');
const variants = ['translucent', 'translucent-relaxed', 'translucent-threads', 'translucent-relaxed-threads'];
const bundled = ['@noble/hashes', 'eld', 'wasm-feature-detect'];

const missing = variants.flatMap((name) => [`${name}.js`, `${name}.wasm`]).find((file) => !existsSync(join(builds, file)));
if (missing) throw new Error(`build/wasm/${missing}: not there; build the WebAssembly modules first (cmake --preset wasm && cmake --build --preset wasm)`);

rmSync(lib, { recursive: true, force: true });
mkdirSync(join(lib, 'engine'), { recursive: true });

// An import that bundlers leave alone. Their remarks would go with the white space, so a name of the same length
// stands for them meanwhile, and the source map stays right.
const remarked = 'import(/*webpackIgnore:true*//*@vite-ignore*/';
const unbundled = 'unbundled'.padEnd(remarked.length - 1, '_');

const ours = {
  name: 'ours',
  setup({ onLoad, onResolve }) {
    onResolve({ filter: /^virtual:engine-files$/ }, () => ({ path: join(web, 'src/lib/engine-files.ts') }));
    onLoad({ filter: /eld[\\/]src[\\/]ngrams[\\/]\w+\.js$/ }, ({ path }) => ({ contents: ownLanguages(readFileSync(path, 'utf8')) }));
    // What is a file of its own is found by its name in the package.
    const rename = (filter, from, to) =>
      onLoad({ filter }, ({ path }) => {
        const source = readFileSync(path, 'utf8');
        if (!source.includes(from)) throw new Error(`${path}: has no ${from}`);
        return { contents: source.replace(from, to), loader: 'ts' };
      });
    rename(/src[\\/]lib[\\/]client\.ts$/, "'./worker.ts'", "'./worker.js'");
    rename(/src[\\/]lib[\\/]models\.ts$/, "import('./sha256')", `${unbundled}(new URL('./sha256.js', import.meta.url).href)`);
    rename(/src[\\/]lib[\\/](node-)?worker\.ts$/, 'import(/* @vite-ignore */ /* webpackIgnore: true */ ', `${unbundled}(`);
  },
};
const common = {
  absWorkingDir: web,
  bundle: true,
  format: 'esm',
  target: 'es2022',
  minifyIdentifiers: true,
  minifySyntax: true,
  minifyWhitespace: true,
  sourcemap: true,
  outdir: lib,
  plugins: [ours],
  legalComments: 'none', // THIRD-PARTY.txt has them
  logLevel: 'warning',
};
const entry = (...names) => names.map((name) => `src/lib/${name}.ts`);
await build({ ...common, entryPoints: entry('index', 'elements', 'define'), splitting: true, chunkNames: '[name]-[hash]' });
// In one file each: a bundler makes a worker's file anew, and only some can take one apart.
await build({ ...common, entryPoints: entry('worker') });
await build({ ...common, entryPoints: entry('sha256') });
await build({
  ...common,
  entryPoints: entry('node', 'node-worker'),
  platform: 'node',
  splitting: true,
  chunkNames: 'node-[name]-[hash]',
});
for (const name of readdirSync(lib).filter((file) => file.endsWith('.js'))) {
  const file = join(lib, name);
  writeFileSync(file, readFileSync(file, 'utf8').replaceAll(`${unbundled}(`, remarked));
}

for (const name of variants) {
  let glue = readFileSync(join(builds, `${name}.js`), 'utf8');
  const replace = (from, to) => {
    if (!glue.includes(from)) throw new Error(`${name}.js: has no ${from}`);
    glue = glue.replaceAll(from, to);
  };
  if (name.endsWith('-threads')) {
    // Its threads load the script once more: itself, by whatever name a bundler has given it.
    replace(`new URL("${name}.js",import.meta.url)`, 'new URL(import.meta.url)');
    // Node runs no threads here, and webpack's minifier does not know await outside functions.
    replace("if (isNode) isPthread = (await import('worker_threads')).workerData === 'em-pthread';", '');
  }
  const { code } = transformSync(glue, { minify: true, format: 'esm', target: 'es2022' });
  writeFileSync(join(lib, 'engine', `${name}.js`), code);
  cpSync(join(builds, `${name}.wasm`), join(lib, 'engine', `${name}.wasm`));
}
cpSync(join(web, 'public/models'), join(lib, 'models'), { recursive: true });
cpSync(join(web, '../LICENSE'), join(lib, 'LICENSE'));

const notices = bundled.map((name) => {
  const folder = join(web, 'node_modules', name);
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return `${name} ${version}\n\n${readFileSync(join(folder, 'LICENSE'), 'utf8').trim()}\n`;
});
writeFileSync(join(lib, 'THIRD-PARTY.txt'), `The scripts of this package contain parts of:\n\n${notices.join(`\n${'-'.repeat(78)}\n\n`)}`);

execFileSync(join(web, 'node_modules/.bin/tsc'), ['-p', join(web, 'tsconfig.lib.json')], { stdio: 'inherit' });

// Node's own resolution of modules, which TypeScript follows, wants the names of files whole.
for (const name of readdirSync(join(lib, 'types'))) {
  const file = join(lib, 'types', name);
  writeFileSync(file, readFileSync(file, 'utf8').replace(/((?:from |import\()')(\.\/[\w-]+)'/g, "$1$2.js'"));
}
