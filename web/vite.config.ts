import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build, transformSync } from 'esbuild';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';
import { isolation } from './scripts/isolation.mjs';
import { ownLanguages } from './scripts/ngrams.mjs';
import { kVariants } from './src/lib/variants';

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const builds = at('../build/wasm');
const engineFiles = kVariants.flatMap((variant) => [`${variant}.js`, `${variant}.wasm`]);

/**
 * The builds of the engine, as they are, in a folder whose name changes with them: their threads load
 * the same script once more, which a bundler must not rename or take apart. `virtual:engine-files`
 * gives the addresses.
 */
function engineFolder({ emit }: { emit: boolean }): Plugin {
  const id = '\0virtual:engine-files';
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
    resolveId: (source) => (source === 'virtual:engine-files' ? id : null),
    load(source) {
      if (source !== id) return null;
      // Beside the worker's own file, wherever the page is served from.
      const path = serving ? '/engine/' : `${folder()}/`;
      return [
        `const folder = new URL(${JSON.stringify(path)}, self.location.href).href;`,
        'export default (variant) => ({ script: `${folder}${variant}.js`, wasm: `${folder}${variant}.wasm` });',
      ].join('\n');
    },
    generateBundle() {
      if (!emit) return;
      for (const file of engineFiles) {
        const built = readFileSync(`${builds}/${file}`);
        const source = file.endsWith('.js')
          ? transformSync(built.toString(), { minify: true, format: 'esm', target: 'es2022' }).code
          : built;
        this.emitFile({ type: 'asset', fileName: `assets/${folder()}/${file}`, source });
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

/**
 * The service worker as one script of its own beside index.html, with the list of what it keeps: the
 * page's files, those of public/ included, models and the engine's builds not.
 */
function serviceWorker(): Plugin {
  const hash = (content: string | Uint8Array) => createHash('sha256').update(content).digest('hex').slice(0, 16);
  return {
    name: 'service-worker',
    apply: 'build',
    enforce: 'post',
    async generateBundle(_, bundle) {
      const page: { url: string; revision: string | null }[] = [];
      let engine = '';
      for (const [url, file] of Object.entries(bundle)) {
        const found = /^assets\/engine-[0-9a-f]+\//.exec(url);
        if (found) [engine] = found;
        else if (!url.endsWith('.map')) {
          page.push({ url, revision: hash(file.type === 'chunk' ? file.code : file.source) });
        }
      }
      for (const url of ['theme.js', 'favicon.svg', 'manifest.webmanifest', 'icons/192.png']) {
        page.push({ url, revision: hash(readFileSync(at(`public/${url}`))) });
      }
      page.sort((a, b) => a.url.localeCompare(b.url));
      const built = await build({
        entryPoints: [at('src/page/offline/service-worker.ts')],
        bundle: true,
        minify: true,
        write: false,
        format: 'iife',
        target: 'es2022',
        define: {
          kPage: JSON.stringify(page),
          kEngine: JSON.stringify(engine),
          'process.env.NODE_ENV': '"production"',
        },
      });
      this.emitFile({ type: 'asset', fileName: 'service-worker.js', source: built.outputFiles[0]!.text });
    },
  };
}

/**
 * The table language detection reads is data, not program: a file of its own, fetched with the first
 * detection, and cut down to the languages that need it.
 */
function detectionTable(): Plugin {
  return {
    name: 'detection-table',
    apply: 'build',
    transform(code, id) {
      if (!/eld[\\/]src[\\/]ngrams[\\/]\w+\.js$/.test(id)) return null;
      const source = ownLanguages(code).replace('export const ngramsData=', 'return ');
      const data: unknown = new Function(source)(); // a literal of our own pinned dependency, at build time
      const file = this.emitFile({ type: 'asset', name: 'ngrams.json', source: JSON.stringify(data) });
      return `export const ngramsData = await (await fetch(import.meta.ROLLUP_FILE_URL_${file})).json();`;
    },
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
  plugins: [engineFolder({ emit: true }), serviceWorker(), detectionTable(), relaxPolicyInDevelopment()],
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
