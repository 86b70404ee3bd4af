// Builds page/translucent.html with web/'s own build configuration, so that what is measured is what a page gets.
//
//   node ours.mjs OUTPUT

import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const web = join(here, '..', '..', 'web');
const { build } = await import(pathToFileURL(createRequire(join(web, 'package.json')).resolve('vite')));
const output = resolve(process.argv[2]);

await build({
  configFile: join(web, 'vite.config.ts'),
  root: join(here, 'page'),
  logLevel: 'warn',
  build: {
    outDir: output,
    emptyOutDir: true,
    sourcemap: false,
    rollupOptions: { input: join(here, 'page', 'translucent.html') },
  },
});
