// Runs the microbenchmarks of the kernels in headless Chromium.
//
//   node tests/bench/chromium.mjs [kernels_bench|kernels_relaxed_bench] [PART OF A NAME]

import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { launch } from '../../web/scripts/browser.mjs';

const name = process.argv[2] ?? 'kernels_relaxed_bench';
const filter = process.argv[3] ?? '';
const folder = fileURLToPath(new URL('../../build/wasm/', import.meta.url));

const page = `<!doctype html><link rel="icon" href="data:,"><script>
  var Module = {
    arguments: ['--benchmark_filter=' + ${JSON.stringify(filter)}],
    print: (line) => console.log(line),
    onExit: () => console.log('done'),
  };
</script><script src="${name}.cjs"></script>`;

const server = createServer(async (request, response) => {
  const file = request.url.slice(1);
  if (file === '') {
    response.setHeader('Content-Type', 'text/html');
    response.end(page);
  } else if (file === `${name}.cjs` || file === `${name}.wasm`) {
    response.setHeader('Content-Type', file.endsWith('.cjs') ? 'text/javascript' : 'application/wasm');
    response.end(await readFile(folder + file));
  } else {
    response.writeHead(404).end();
  }
});
await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
const browser = await launch();
const tab = await browser.newPage();
const done = new Promise((finish, fail) => {
  tab.on('console', (message) => (message.text() === 'done' ? finish() : console.log(message.text())));
  tab.on('pageerror', fail);
});
await tab.goto(`http://127.0.0.1:${server.address().port}/`);
await done;
await browser.close();
server.close();
