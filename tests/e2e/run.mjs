// Runs the end-to-end tests of the built page in headless Chromium, one after the other.
//
//   npm run e2e [-- PART OF A NAME]
//
// Every test gets a fresh browser context. Whatever it is about, it also fails when a request left the
// page's origin, the Content-Security-Policy was violated, or something was written to the console as
// an error. The last line is "N passed, N failed"; running nothing is a failure.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { launch } from '../../web/scripts/browser.mjs';
import { serve } from '../../web/scripts/serve.mjs';
import { findModels, models } from './native.mjs';
import { tests as attentionTests } from './attention.mjs';
import { tests as insideTests } from './inside.mjs';
import { tests as moduleTests } from './module.mjs';
import { tests as pageTests } from './page.mjs';
import { tests as translateTests } from './translate.mjs';

const root = fileURLToPath(new URL('../../web/dist', import.meta.url));
const results = fileURLToPath(new URL('../../web/test-results', import.meta.url));
const wanted = process.argv[2] ?? '';
const tests = [...pageTests, ...translateTests, ...attentionTests, ...insideTests, ...moduleTests];

let passed = 0;
let failed = 0;

async function main() {
  if (!existsSync(`${root}/index.html`)) throw new Error(`${root}: not built; run npm run build first`);
  const all = await findModels();
  const model = all.find(({ info }) => info.id === 'zh-en'); // the one the page begins with
  assert.ok(model, 'no model zh-en in the index');
  await mkdir(results, { recursive: true });
  const server = await serve({ root, models });
  const origin = `http://localhost:${server.address().port}`;
  const browser = await launch();
  try {
    for (const { name, options = {}, run } of tests.filter((test) => test.name.includes(wanted))) {
      const began = performance.now();
      let page;
      try {
        page = await open(browser, options.context);
        await run({ page, origin, model, all, results, root, browser });
        // Errors the test itself brought about are its own to check.
        if (!options.faults) assert.deepEqual(page.watched.errors, [], 'errors on the console');
        assert.deepEqual(page.watched.violations, [], 'violations of the policy');
        const foreign = page.watched.requests.filter(
          (url) => !/^http:\/\/localhost:\d+\//.test(url) && !/^(data|blob):/.test(url),
        );
        assert.deepEqual(foreign, [], 'requests that left the page’s origin');
        passed++;
        console.log(`ok    ${name} (${Math.round(performance.now() - began)} ms)`);
      } catch (error) {
        failed++;
        console.log(`FAIL  ${name}\n${String(error.stack).replace(/^/gm, '      ')}`);
        if (page?.watched.errors.length) console.log(`      console: ${page.watched.errors.join(' | ')}`);
        const shot = `${results}/failed-${failed}.png`;
        await page?.screenshot({ path: shot, fullPage: true }).catch(() => {});
      } finally {
        await page?.context().close();
      }
    }
  } finally {
    await browser.close();
    server.close();
  }
}

async function open(browser, context = {}) {
  const page = await (
    await browser.newContext({ viewport: { width: 1280, height: 900 }, ...context })
  ).newPage();
  page.setDefaultTimeout(90_000);
  page.watched = { requests: [], errors: [], violations: [] };
  // The context's events include those of workers.
  page.context().on('request', (request) => page.watched.requests.push(request.url()));
  page.on('pageerror', (error) => page.watched.errors.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') page.watched.errors.push(message.text());
  });
  await page.exposeFunction('reportViolation', (what) => page.watched.violations.push(what));
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      globalThis.reportViolation(`${event.violatedDirective}: ${event.blockedURI}`);
    });
  });
  return page;
}

try {
  await main();
} catch (error) {
  failed++;
  console.log(`FAIL  ${error.message}`);
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 || passed === 0 ? 1 : 0);
