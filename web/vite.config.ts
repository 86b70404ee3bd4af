import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';
import { kVariants } from './src/lib/variants';

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const builds = at('../build/wasm');
const engineFiles = kVariants.flatMap((variant) => [`${variant}.js`, `${variant}.wasm`]);

/**
 * The builds of the engine, as they are, in a folder whose name changes with them: their threads load
 * the same script once more, which a bundler must not rename or take apart. `virtual:engine-folder` is
 * its address.
 */
function engineFolder({ emit }: { emit: boolean }): Plugin {
  const id = '\0virtual:engine-folder';
  let serving = false;
  const folder = () => {
    const hash = createHash('sha256');
    for (const file of engineFiles) hash.update(readFileSync(`${builds}/${file}`));
    return `engine-${hash.digest('hex').slice(0, 8)}`;
  };
  return {
    name: 'engine-folder',
    configResolved: (config) => {
      serving = config.command === 'serve';
    },
    buildStart() {
      // The one thing everybody runs into once: say what to do.
      const missing = serving ? undefined : engineFiles.find((file) => !existsSync(`${builds}/${file}`));
      if (missing) {
        this.error(`build/wasm/${missing}: not there; build the WebAssembly modules first (cmake --preset wasm && cmake --build --preset wasm)`);
      }
    },
    resolveId: (source) => (source === 'virtual:engine-folder' ? id : null),
    load(source) {
      if (source !== id) return null;
      // Beside the worker's own file, wherever the page is served from.
      const path = serving ? '/engine/' : `${folder()}/`;
      return `export default new URL(${JSON.stringify(path)}, self.location.href).href;`;
    },
    generateBundle() {
      if (!emit) return;
      for (const file of engineFiles) {
        this.emitFile({ type: 'asset', fileName: `assets/${folder()}/${file}`, source: readFileSync(`${builds}/${file}`) });
      }
    },
    configureServer(server) {
      server.middlewares.use('/engine', (request, response, next) => {
        const file = request.url?.slice(1).split('?')[0];
        if (!file || !engineFiles.includes(file)) return next();
        response.setHeader('Content-Type', file.endsWith('.wasm') ? 'application/wasm' : 'text/javascript');
        for (const [name, value] of Object.entries(isolation)) response.setHeader(name, value);
        createReadStream(`${builds}/${file}`).pipe(response);
      });
    },
  };
}

/** What shared memory, and so threads, take. */
const isolation = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

/** For hosts that cannot send those headers: a service worker that adds them (index.html loads it). */
function isolationWorker(): Plugin {
  const file = 'coi-serviceworker.min.js';
  return {
    name: 'isolation-worker',
    apply: 'build',
    generateBundle() {
      const source = readFileSync(at(`node_modules/coi-serviceworker/${file}`));
      this.emitFile({ type: 'asset', fileName: file, source });
    },
    transformIndexHtml: () => [{ tag: 'script', attrs: { src: `./${file}` }, injectTo: 'head' }],
  };
}

/** The dev server injects styles from script, which the built page's policy forbids. */
function relaxPolicyInDevelopment(): Plugin {
  return {
    name: 'relax-policy-in-development',
    apply: 'serve',
    transformIndexHtml: (html) => html.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'"),
  };
}

export default defineConfig({
  base: './', // the built folder works below any path
  plugins: [engineFolder({ emit: true }), isolationWorker(), relaxPolicyInDevelopment()],
  build: {
    target: 'es2022',
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0, // data: URLs would need a wider policy
    sourcemap: true,
  },
  worker: { format: 'es', plugins: () => [engineFolder({ emit: false })] },
  test: {
    include: ['tests/**/*.test.ts'],
    reporters: ['default', './tests/reporter.ts'],
  },
  server: { headers: isolation },
});
