import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const engine = at('../build/wasm/translucent.js');

/** A missing engine is the one thing everybody runs into once: say what to do. */
function requireEngine(): Plugin {
  return {
    name: 'require-engine',
    apply: 'build',
    buildStart() {
      if (!existsSync(engine)) {
        this.error('build/wasm/translucent.js: not there; build the WebAssembly module first (cmake --preset wasm && cmake --build --preset wasm)');
      }
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
  resolve: { alias: { 'translucent-engine': engine } },
  plugins: [requireEngine(), relaxPolicyInDevelopment()],
  build: {
    target: 'es2022',
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0, // data: URLs would need a wider policy
    sourcemap: true,
  },
  worker: { format: 'es', plugins: () => [requireEngine()] },
  test: {
    include: ['tests/**/*.test.ts'],
    reporters: ['default', './tests/reporter.ts'],
  },
  server: { fs: { allow: [at('.'), at('../build/wasm')] } },
});
