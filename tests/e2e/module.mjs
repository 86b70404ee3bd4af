// The package, packed and installed into a fresh folder: its examples, its behaviour under load, and what
// it does when the server or the storage fails.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import { cp, mkdir, mkdtemp, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { launch } from '../../web/scripts/browser.mjs';
import { translate } from './native.mjs';

const run = promisify(execFile);
const web = fileURLToPath(new URL('../../web', import.meta.url));
const readme = fileURLToPath(new URL('../../README.md', import.meta.url));

export const tests = [];
const test = (name, work, options = {}) => tests.push({ name: `package: ${name}`, run: work, options });

let folder;
let packed;

/** A folder with the package in node_modules and the examples beside it: made once. */
async function installed() {
  if (folder) return folder;
  folder = await mkdtemp(join(tmpdir(), 'translucent-package-'));
  process.once('exit', () => execFile('rm', ['-rf', folder]));
  const { stdout } = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], { cwd: web, maxBuffer: 1 << 26 });
  [packed] = JSON.parse(stdout);
  await writeFile(join(folder, 'package.json'), '{"private": true, "type": "module"}');
  await run('npm', ['install', '--offline', '--no-audit', '--no-fund', `./${packed.filename}`], { cwd: folder });
  await cp(join(folder, 'node_modules/translucent/examples'), join(folder, 'examples'), { recursive: true });
  await writeFile(join(folder, 'blank.html'), '<!doctype html><meta charset="utf-8"><title>blank</title>');
  return folder;
}

const types = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.json': 'application/json', '.wasm': 'application/wasm' };
const strict = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; object-src 'none'";

/** Serves a folder as a simple host does; `fault` may answer a request in its own way. */
async function host(root, { headers = { 'Content-Security-Policy': strict }, fault = () => false } = {}) {
  const requests = [];
  const server = createServer(async (request, response) => {
    const path = decodeURIComponent(new URL(request.url, 'http://localhost').pathname);
    if (path === '/favicon.ico') return response.writeHead(204).end();
    requests.push(path);
    try {
      const bytes = await readFile(join(root, path));
      if (await fault({ path, bytes, request, response })) return;
      const range = /^bytes=(\d+)-$/.exec(request.headers.range ?? '');
      const body = range ? bytes.subarray(Number(range[1])) : bytes;
      response.writeHead(range ? 206 : 200, {
        ...headers,
        'Content-Type': types[extname(path)] ?? 'application/octet-stream',
        'Content-Length': body.length,
        ...(range && { 'Content-Range': `bytes ${range[1]}-${bytes.length - 1}/${bytes.length}` }),
        'Cache-Control': path.includes('/models/') ? 'no-store' : 'max-age=3600',
      });
      response.end(body);
    } catch {
      if (!response.headersSent) response.writeHead(404, headers).end();
    }
  });
  await new Promise((resolve) => server.listen(0, resolve));
  const close = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return { origin: `http://localhost:${server.address().port}`, requests, close };
}

/** Opens an empty page of the host and gives it the package's exports as `t`. */
async function blank(page, origin, from = origin) {
  await page.goto(`${origin}/blank.html`);
  await page.evaluate(async (address) => {
    globalThis.t = await import(address);
  }, `${from}/node_modules/translucent/lib/index.js`);
}

async function onHost(options, work) {
  const server = await host(await installed(), options);
  try {
    await work(server);
  } finally {
    await server.close();
  }
}

/**
 * Stands before the worker's own script where a test looks into the engine or brings something about in there: its
 * memories, a trap in the next function of JavaScript that it calls, and the timers that end a silent download.
 */
const spy = `{
globalThis.spy = { memories: [], trap: false, waits: new Map() };
const trap = new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 7, 5, 1, 1, 102, 0, 0, 10, 5, 1, 3, 0, 0, 11, // (func (export "f") unreachable)
]))).exports.f;
for (const name of ['instantiate', 'instantiateStreaming']) {
  const original = WebAssembly[name];
  WebAssembly[name] = async (source, imports = {}) => {
    for (const functions of Object.values(imports)) {
      for (const [key, value] of Object.entries(functions)) {
        if (typeof value === 'function') functions[key] = (...given) => (spy.trap ? trap() : value(...given));
      }
    }
    const result = await original.call(WebAssembly, source, imports);
    spy.memories.push(...Object.values((result.instance ?? result).exports).filter((value) => value instanceof WebAssembly.Memory));
    return result;
  };
}
const { setTimeout, clearTimeout } = globalThis;
globalThis.setTimeout = (work, milliseconds, ...given) => {
  if (milliseconds !== 30_000) return setTimeout(work, milliseconds, ...given);
  const id = {};
  spy.waits.set(id, work);
  return id;
};
globalThis.clearTimeout = (id) => spy.waits.delete(id) || clearTimeout(id);
}
`;

/** Answers for the worker's script. */
const spied = ({ path, bytes, response }) => {
  if (!path.endsWith('/lib/worker.js')) return false;
  response.writeHead(200, { 'Content-Security-Policy': strict, 'Content-Type': 'text/javascript', 'Cache-Control': 'no-store' });
  response.end(`${spy}${bytes}`);
  return true;
};

/** Asks again and again until it is so. */
async function until(what, condition) {
  for (const began = performance.now(); !(await condition()); await new Promise((resolve) => setTimeout(resolve, 20))) {
    assert.ok(performance.now() - began < 90_000, `waited in vain: ${what}`);
  }
}

/** The only worker, with the spy in it. That of a download ends with it, or a little later. */
const workerOf = async (page) => {
  await until('a single worker to be left', () => page.workers().length === 1);
  return page.workers()[0];
};

const memoryOf = (worker) => worker.evaluate(() => globalThis.spy.memories.reduce((sum, { buffer }) => sum + buffer.byteLength, 0));

const folderOf = (all, id) => all.find(({ info }) => info.id === id).folder;
const german = 'Der Hund jagt die Katze. Ich habe gestern ein Buch gelesen.';

test('holds what it should and keeps to its budget', async () => {
  const root = join(await installed(), 'node_modules/translucent');
  const allowed = /^(package\.json|README\.md|CHANGELOG\.md|examples\/\w+\.(html|js)|lib\/(LICENSE|THIRD-PARTY\.txt)|lib\/[\w-]+\.js(\.map)?|lib\/types\/[\w-]+\.d\.ts|lib\/engine\/translucent[\w-]*\.(js|wasm)|lib\/models\/(index\.json|[\w-]+\/[\w.-]+))$/;
  const files = packed.files.map(({ path }) => path);
  assert.deepEqual(files.filter((path) => !allowed.test(path)), []);
  for (const needed of ['lib/index.js', 'lib/worker.js', 'lib/node.js', 'lib/elements.js', 'lib/types/index.d.ts', 'lib/models/index.json', 'CHANGELOG.md', 'README.md', 'examples/plain.html']) {
    assert.ok(files.includes(needed), needed);
  }
  const scripts = files.filter((path) => /^lib\/[\w-]+\.js$/.test(path));
  for (const path of scripts) assert.ok(files.includes(`${path}.map`), `${path} has no source map`);
  const read = (path) => readFile(join(root, path));
  const brotli = async (...paths) => (await Promise.all(paths.map(read))).reduce((sum, bytes) => sum + brotliCompressSync(bytes).length, 0);
  const parts = [...(await read('lib/index.js')).toString().matchAll(/from\s?"\.\/([\w-]+\.js)"/g)].map(([, name]) => `lib/${name}`);
  const module = await brotli('lib/index.js', ...new Set(parts), 'lib/worker.js', 'lib/engine/translucent-relaxed-threads.js');
  assert.ok(module <= 25_000, `scripts of a page that translates: ${module} bytes, brotli`);
  const [detect] = scripts.filter((path) => path.startsWith('lib/detect-'));
  const table = gzipSync(await read(detect)).length;
  assert.ok(table < 200_000, `language detection: ${table} bytes, gzip`);
  assert.ok(packed.size < 45_000_000, `${packed.size} bytes packed`);
  const { dependencies, exports } = JSON.parse(await read('package.json'));
  assert.equal(dependencies, undefined);
  for (const entry of Object.values(exports).flatMap((value) => (typeof value === 'string' ? value : Object.values(value)))) {
    if (!entry.includes('*')) await stat(join(root, entry));
  }
  console.log(`      ${files.length} files, ${packed.size} bytes packed; scripts ${module} brotli, detection ${table} gzip`);
});

test('example plain', ({ page, all }) =>
  onHost({}, async ({ origin }) => {
    const [expected] = await translate(folderOf(all, 'de-en'), [german]);
    await page.goto(`${origin}/examples/plain.html`);
    await page.waitForFunction(() => document.querySelector('#translation').textContent !== '');
    assert.equal(await page.locator('#translation').textContent(), expected);
  }));

test('example page: translated in place and back', ({ page }) =>
  onHost({}, async ({ origin }) => {
    await page.goto(`${origin}/examples/page.html`);
    const main = page.locator('main');
    const before = await main.innerHTML();
    await page.evaluate(() => {
      globalThis.link = document.querySelector('main a');
    });
    await page.click('#toggle');
    await page.waitForSelector('html[lang=en]');
    const after = await main.innerHTML();
    assert.notEqual(after, before);
    assert.match(after, /<a href="plain\.html">[^<]+<\/a>/);
    assert.match(after, /<b>[^<]+<\/b>/);
    assert.ok(after.includes('<code>npm install</code>'));
    assert.equal(await page.locator('main li').count(), 2);
    await page.click('#toggle');
    await page.waitForSelector('html[lang=de]');
    assert.equal(await main.innerHTML(), before);
    assert.ok(await page.evaluate(() => globalThis.link === document.querySelector('main a')), 'the nodes themselves are back');
  }));

test('example chat: messages are translated as they arrive', ({ page, all }) =>
  onHost({}, async ({ origin }) => {
    await page.goto(`${origin}/examples/chat.html`);
    const [dog] = await translate(folderOf(all, 'zh-en'), ['狗追猫。']);
    const [book] = await translate(folderOf(all, 'de-en'), ['Ich habe gestern ein Buch gelesen.']);
    const send = async (text) => {
      await page.fill('input', text);
      await page.click('button');
    };
    await page.waitForFunction(() => performance.getEntriesByType('resource').some(({ name }) => name.includes('/detect-')));
    await send('狗追猫。');
    await send('Ich habe gestern ein Buch gelesen.');
    await page.waitForFunction(() => document.querySelectorAll('li').length === 2 && [...document.querySelectorAll('li p:last-child')].every((p) => p.textContent));
    const shown = await page.locator('li p:last-child').allTextContents();
    assert.deepEqual(shown.sort(), [dog, book].sort());
  }));

test('example explain: the elements', ({ page, results }) =>
  onHost({}, async ({ origin }) => {
    await page.goto(`${origin}/examples/explain.html`);
    await page.getByRole('grid').waitFor();
    await page.getByLabel('Layer').selectOption('0');
    const cell = page.getByRole('gridcell').first();
    await cell.focus();
    const status = page.locator('translucent-attention').getByRole('status');
    const first = await status.textContent();
    assert.match(first, / → .+ \d\.\d{4}$/);
    await page.keyboard.press('ArrowRight');
    assert.notEqual(await status.textContent(), first);
    const sums = await page.locator('translucent-attention').evaluate((element) =>
      [...element.shadowRoot.querySelectorAll('tbody tr')].map((row) => [...row.querySelectorAll('td')].reduce((sum, td) => sum + Number(td.getAttribute('aria-label')), 0)),
    );
    for (const sum of sums) assert.ok(Math.abs(sum - 1) < 2e-3, `a row sums to ${sum}`);
    await page.getByRole('textbox').fill('猫追狗。');
    await page.waitForFunction(() => document.querySelector('translucent-attention').explanation?.source.text === '猫追狗。');
    await page.screenshot({ path: `${results}/example-explain.png` });
  }));

const axe = fileURLToPath(new URL('../../web/node_modules/axe-core/axe.min.js', import.meta.url));

/** A page with both elements, in the system's colours; the attention is that of the pair's text. */
async function elementsPage(origin, page, text = 'Der Hund jagt die Katze.') {
  await writeFile(
    join(await installed(), 'elements.html'),
    `<!doctype html><html lang="en"><meta charset="utf-8"><title>elements</title><meta name="viewport" content="width=device-width">
     <meta name="color-scheme" content="light dark"><link rel="stylesheet" href="elements.css">
     <main><h1>Elements</h1><translucent-translate source="de" target="en"></translucent-translate>
     <translucent-attention></translucent-attention></main><script type="module" src="elements.js"></script></html>`,
  );
  await writeFile(
    join(folder, 'elements.css'),
    // axe takes a page without a background for a white one, dark or not.
    `html { background: Canvas; }
     .own { --translucent-accent: rgb(0, 90, 0); --translucent-background: rgb(250, 240, 230); --translucent-text: rgb(40, 0, 0); --translucent-radius: 12px; --translucent-font: monospace; }`,
  );
  await writeFile(
    join(folder, 'elements.js'),
    `import { Translator } from './node_modules/translucent/lib/index.js';
     import './node_modules/translucent/lib/define.js';
     const translator = await Translator.create({ sourceLanguage: 'de', targetLanguage: 'en' });
     const [pair, picture] = document.querySelectorAll('translucent-translate, translucent-attention');
     pair.addEventListener('translated', async ({ detail }) => {
       picture.explanation = await translator.explain(detail.text);
     });
     pair.value = ${JSON.stringify(text)};`,
  );
  await page.goto(`${origin}/elements.html`);
  await page.waitForFunction((given) => document.querySelector('translucent-attention').explanation?.source.text === given, text);
}

for (const colorScheme of ['light', 'dark']) {
  for (const width of [1280, 390]) {
    test(
      `the elements with axe, ${colorScheme}, ${width} px`,
      ({ page, results }) =>
        // axe is put into the page as an inline script.
        onHost({ headers: {} }, async ({ origin }) => {
          await elementsPage(origin, page, width < 500 ? 'Ich habe gestern mit meinem Bruder in der Stadt ein sehr gutes Buch gelesen.' : undefined);
          await page.addScriptTag({ path: axe });
          const violations = await page.evaluate(() =>
            globalThis.axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) =>
              violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join(' | ')}`),
            ),
          );
          assert.deepEqual(violations, []);
          assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'the page scrolls sideways');
          await page.screenshot({ path: `${results}/elements-${colorScheme}-${width}.png`, fullPage: true });
        }),
      { context: { colorScheme, viewport: { width, height: 844 } } },
    );
  }
}

test('the elements by keyboard', ({ page }) =>
  onHost({}, async ({ origin }) => {
    await elementsPage(origin, page);
    const focused = () =>
      page.evaluate(() => {
        const inner = document.activeElement.shadowRoot?.activeElement;
        return inner ? `${inner.localName} ${inner.getAttribute('aria-label') ?? inner.closest('label')?.textContent.trim().split(' ')[0] ?? ''}`.trim() : document.activeElement.localName;
      });
    await page.keyboard.press('Tab');
    assert.equal(await focused(), 'textarea');
    for (const name of ['Attention', 'Layer', 'Head']) {
      await page.keyboard.press('Tab');
      assert.equal(await focused(), `select ${name}`);
    }
    await page.keyboard.press('Tab');
    const cell = async () => (await focused()).replace(/^td /, '');
    const status = page.locator('translucent-attention').getByRole('status');
    /** The cell of that row and column, as the explanation has it: the mean over the heads of the last layer. */
    const weight = (row, column) =>
      page.evaluate(
        ([row, column]) => {
          const { shape, weights } = document.querySelector('translucent-attention').explanation.cross;
          const [layers, heads, queries, keys] = shape;
          const [q, k] = [(row + queries) % queries, (column + keys) % keys];
          let sum = 0;
          for (let h = 0; h < heads; h++) sum += weights[(((layers - 1) * heads + h) * queries + q) * keys + k];
          return (sum / heads).toFixed(4);
        },
        [row, column],
      );
    assert.equal(await cell(), await weight(0, 0));
    for (const [key, row, column] of [
      ['ArrowRight', 0, 1],
      ['ArrowDown', 1, 1],
      ['End', 1, -1],
      ['Home', 1, 0],
      ['ArrowUp', 0, 0],
      ['ArrowLeft', 0, 0],
      ['Control+End', -1, -1],
      ['Control+Home', 0, 0],
    ]) {
      await page.keyboard.press(key);
      const expected = await weight(row, column);
      assert.equal(await cell(), expected, key);
      assert.ok((await status.textContent()).endsWith(` ${expected}`), key);
    }
    await page.keyboard.press('Shift+Tab');
    assert.equal(await focused(), 'select Head');
    await page.keyboard.press('ArrowDown');
    await page.waitForFunction(() => document.querySelector('translucent-attention').getAttribute('head') === '0');
  }));

test('the elements in a page’s own colours', ({ page }) =>
  onHost({}, async ({ origin }) => {
    await elementsPage(origin, page);
    await page.evaluate(() => document.querySelector('main').classList.add('own'));
    const [field, cell, focus] = await page.evaluate(() => {
      const [pair, picture] = document.querySelectorAll('translucent-translate, translucent-attention');
      const input = pair.shadowRoot.querySelector('textarea');
      const td = picture.shadowRoot.querySelector('tbody td');
      td.style.setProperty('--weight', '1');
      input.focus();
      const { backgroundColor, borderRadius, fontFamily, color, outlineColor } = getComputedStyle(input);
      return [[backgroundColor, borderRadius, fontFamily, color], getComputedStyle(td).backgroundColor, outlineColor];
    });
    assert.deepEqual(field, ['rgb(250, 240, 230)', '12px', 'monospace', 'rgb(40, 0, 0)']);
    assert.match(cell, /^(rgb\(0, 90, 0\)|color\(srgb 0 0\.35294\d* 0\))$/);
    assert.equal(focus, 'rgb(0, 90, 0)');
  }));

test('the README’s lines, pasted into an empty page', async ({ page }) => {
  const [, lines] = /```html\n([\s\S]*?)```/.exec(await readFile(readme, 'utf8'));
  assert.ok(lines.trim().split('\n').length <= 5, lines);
  const root = await installed();
  await writeFile(join(root, 'pasted.html'), `<!doctype html><meta charset="utf-8"><title>pasted</title>\n${lines}`);
  await onHost({ headers: {} }, async ({ origin }) => {
    await page.goto(`${origin}/pasted.html`);
    await page.waitForFunction(() => /\w/.test(document.body.textContent.replace(/<script[\s\S]*/, '')) && document.querySelector('body')?.innerText.trim());
    assert.match(await page.locator('body').innerText(), /dog|cat/i);
  });
});

test('from another origin, and in an iframe', ({ page }) =>
  onHost({ headers: { 'Access-Control-Allow-Origin': '*' } }, ({ origin: cdn }) =>
    onHost({ headers: {} }, async ({ origin }) => {
      await blank(page, origin, cdn);
      const inFrame = async (address) => {
        const t = await import(address);
        const translator = await t.Translator.create({ sourceLanguage: 'de', targetLanguage: 'en' });
        const text = await translator.translate('Guten Morgen.');
        translator.destroy();
        return text;
      };
      const address = `${cdn}/node_modules/translucent/lib/index.js`;
      assert.match(await page.evaluate(inFrame, address), /morning/i);
      await page.evaluate((src) => document.body.append(Object.assign(document.createElement('iframe'), { src })), `${origin}/blank.html?frame`);
      await page.waitForFunction(() => document.querySelector('iframe').contentDocument?.title === 'blank');
      assert.match(await page.frames()[1].evaluate(inFrame, address), /morning/i);
    }),
  ),
);

test('in Node', async () => {
  const root = await installed();
  await writeFile(
    join(root, 'server.mjs'),
    `import { LanguageDetector, Translator } from 'translucent';
     const translator = await Translator.create({ sourceLanguage: 'de', targetLanguage: 'en-GB' });
     const detector = await LanguageDetector.create();
     const [{ detectedLanguage }] = await detector.detect('Guten Morgen, wie geht es dir?');
     console.log(JSON.stringify([translator.targetLanguage, await translator.translate('Guten Morgen.'), detectedLanguage]));`,
  );
  const { stdout } = await run(process.execPath, ['server.mjs'], { cwd: root });
  const [target, text, detected] = JSON.parse(stdout);
  assert.equal(target, 'en');
  assert.match(text, /morning/i);
  assert.equal(detected, 'de');
});

test('1,000 random calls with cancels and destroys: every promise settles, nothing leaks, order is kept', ({ page }) =>
  onHost({ fault: spied }, async ({ origin }) => {
    await blank(page, origin);
    // Holds the model through all rounds: what leaks stays. Its memory is brought to what two full jobs need at
    // once, for a round may or may not come to have them.
    await page.evaluate(async () => {
      globalThis.holder = await globalThis.t.Translator.create({ sourceLanguage: 'de', targetLanguage: 'en' });
      const texts = Array.from({ length: 200 }, (_, i) => `Mein Bruder ${10_000 + i} schläft.`);
      await Promise.all(texts.map((text) => globalThis.holder.translate(text)));
    });
    const client = await page.context().newCDPSession(page);
    await client.send('HeapProfiler.enable');
    const heap = async () => {
      await client.send('HeapProfiler.collectGarbage');
      return (await client.send('Runtime.getHeapUsage')).usedSize;
    };
    const round = () =>
      page.evaluate(async () => {
        const { Translator } = globalThis.t;
        let seed = (globalThis.seed = (globalThis.seed ?? 1) + 1);
        const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
        const words = ['Der Hund', 'Die Katze', 'Mein Bruder', 'Das Kind'];
        const verbs = ['schläft.', 'isst.', 'kommt.', 'geht.'];
        const pick = (list) => list[Math.floor(random() * list.length)];
        const counts = { fulfilled: 0, AbortError: 0, other: [] };
        const order = [];
        const calls = [];
        let translator = await Translator.create({ sourceLanguage: 'de', targetLanguage: 'en' });
        const old = [];
        for (let i = 0; i < 100; i++) {
          const stop = new AbortController();
          const text = `${pick(words)} ${seed % 10_000} ${pick(verbs)}`; // each new, or it would be remembered
          const call = translator.translate(text, { signal: stop.signal });
          calls.push(
            call.then(
              () => (counts.fulfilled++, order.push(i)),
              (error) => (error.name === 'AbortError' ? counts.AbortError++ : counts.other.push(String(error))),
            ),
          );
          if (random() < 0.4) setTimeout(() => stop.abort(), random() * 40);
          if (random() < 0.02) {
            const former = translator;
            old.push(former);
            translator = await Translator.create({ sourceLanguage: 'de', targetLanguage: 'en' });
            setTimeout(() => former.destroy(), random() * 30);
          }
        }
        await Promise.all(calls);
        translator.destroy();
        for (const one of old) one.destroy();
        return { ...counts, calls: calls.length, order };
      });
    const sizes = [];
    const memories = [];
    for (let i = 0; i < 10; i++) {
      const { fulfilled, AbortError, other, calls, order } = await round();
      assert.deepEqual(other, []);
      assert.equal(fulfilled + AbortError, calls);
      assert.ok(fulfilled > 0 && AbortError > 0);
      // Two jobs of at most 32 sentences run at a time: nobody is overtaken by more than they hold.
      for (const [place, index] of order.entries()) {
        const ahead = order.slice(0, place).filter((other) => other > index).length;
        assert.ok(ahead <= 64, `${ahead} before ${index}: order ${order.join()}`);
      }
      sizes.push(await heap());
      memories.push(await memoryOf(await workerOf(page)));
    }
    console.log(`      after each round, KB: heap ${sizes.map((size) => Math.round(size / 1000)).join(' ')}, engine ${memories.map((size) => size >> 10).join(' ')}`);
    assert.ok(sizes[9] < sizes[2] * 1.1 + 200_000, 'the heap grows');
    // It grows by a fifth at a time, and only where there was more to do at once, or in other pieces, than before.
    assert.ok(memories[9] <= memories[2] * 1.25, 'the memory of the engine grows');
    await page.evaluate(() => globalThis.holder.destroy());
    await until('the worker, and with it the engine’s memory, to end', () => page.workers().length === 0);
  }));

test('a text of 200,000 characters streams, tells its progress and is cancelled half way', ({ page }) =>
  onHost({}, async ({ origin }) => {
    await blank(page, origin);
    const seen = await page.evaluate(async () => {
      const translator = await globalThis.t.Translator.create({ sourceLanguage: 'de', targetLanguage: 'en' });
      await translator.warmup();
      const sentence = (i) => `Der Hund ${i} jagt die Katze. `;
      let began = performance.now();
      const first = await translator.translate(sentence(0).trim());
      const single = performance.now() - began;
      let text = '';
      for (let i = 1; text.length < 200_000; i++) text += sentence(i);
      const stop = new AbortController();
      began = performance.now();
      const reader = translator.translateStreaming(text, { signal: stop.signal }).getReader();
      let untilFirst = 0;
      const chunks = [];
      let error = null;
      try {
        for (;;) {
          const { done, value } = await reader.read();
          if (done) break;
          untilFirst ||= performance.now() - began;
          chunks.push(value);
          if (chunks.length === 12) stop.abort();
        }
      } catch (thrown) {
        error = thrown.name;
      }
      const after = await translator.translate('Guten Morgen.');
      translator.destroy();
      return { length: text.length, single, untilFirst, chunks: chunks.map((chunk) => chunk.match(/\.(\s|$)/g)?.length ?? 0), error, first, after };
    });
    assert.ok(seen.length >= 200_000);
    assert.equal(seen.error, 'AbortError');
    // The first sentence alone is the first piece; pieces grow, so that there are not thousands.
    assert.equal(seen.chunks[0], 1);
    assert.ok(seen.chunks.at(-1) >= 8, seen.chunks.join());
    assert.match(seen.after, /morning/i);
    console.log(`      one sentence ${seen.single.toFixed(0)} ms, first piece of ${seen.length} characters after ${seen.untilFirst.toFixed(0)} ms`);
  }));

test('a trap rejects the calls in flight, and the next one gets a fresh engine', ({ page }) =>
  onHost({ fault: spied }, async ({ origin }) => {
    await blank(page, origin);
    await page.evaluate(async () => {
      const translator = (globalThis.translator = await globalThis.t.Translator.create({ sourceLanguage: 'de', targetLanguage: 'en' }));
      const text = Array.from({ length: 2000 }, (_, i) => `Der Hund ${i} jagt die Katze.`).join(' ');
      const stream = translator.translateStreaming(text).pipeTo(new WritableStream());
      globalThis.calls = Promise.all(
        [stream, translator.translate(text), translator.translate(`${text} Guten Morgen.`, { beam: 2 })].map((call) =>
          call.then(
            () => 'fulfilled',
            (error) => [error.constructor.name, error.name, error.message, error.cause?.kind].join(),
          ),
        ),
      );
    });
    await (await workerOf(page)).evaluate(() => {
      globalThis.spy.trap = true;
    });
    const failures = await page.evaluate(() => globalThis.calls);
    for (const failure of failures) assert.equal(failure, 'DOMException,UnknownError,the engine stopped: unreachable,crashed');
    assert.match(await page.evaluate(() => globalThis.translator.translate('Guten Morgen.')), /morning/i);
    await until('the former worker to end', () => page.workers().length === 1);
  }));

/** The same module, whose memory may not grow beyond so many pages of 64 KB. */
function withMemoryLimit(wasm, pages) {
  const bytes = Buffer.from(wasm);
  let at = 8; // behind the magic number and the version
  const number = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++];
      value |= (byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  for (;;) {
    const section = bytes[at++];
    const size = number();
    if (section === 5) break;
    at += size;
  }
  assert.deepEqual([bytes[at++], bytes[at++]], [1, 1], 'one memory with a limit');
  number(); // its size at the start
  const begin = at;
  number();
  for (let i = begin; i < at; i++, pages >>= 7) bytes[i] = (pages & 127) | (i < at - 1 ? 128 : 0);
  assert.equal(pages, 0);
  return bytes;
}

test('memory that runs out rejects the calls in flight, and the next one gets a fresh engine', ({ page }) => {
  const fault = ({ path, bytes, response }) => {
    if (!path.endsWith('.wasm')) return false;
    response.writeHead(200, { 'Content-Security-Policy': strict, 'Content-Type': 'application/wasm' });
    response.end(withMemoryLimit(bytes, 768));
    return true;
  };
  return onHost({ fault }, async ({ origin }) => {
    await blank(page, origin);
    const { failures, text } = await page.evaluate(async () => {
      const translator = await globalThis.t.Translator.create({ sourceLanguage: 'de', targetLanguage: 'en' });
      const long = (count) => Array.from({ length: count }, (_, i) => `Der Hund ${i} jagt die Katze, und die Katze klettert auf den Baum.`).join(' ');
      const calls = [translator.translate(long(2000)), translator.translate(long(40), { beam: 32 })];
      const failures = (await Promise.allSettled(calls)).map(({ reason }) => `${reason?.name}: ${reason?.message}`);
      return { failures, text: await translator.translate('Guten Morgen.') };
    });
    for (const failure of failures) assert.match(failure, /^UnknownError: the engine stopped: memory: ./);
    assert.match(text, /morning/i);
    await until('the former worker to end', () => page.workers().length === 1);
  });
});

/** What the processes that run pages hold of memory of their own, in bytes. */
async function residentMemory(browser) {
  const client = await browser.newBrowserCDPSession();
  const { processInfo } = await client.send('SystemInfo.getProcessInfo');
  await client.detach();
  let sum = 0;
  for (const { id } of processInfo.filter(({ type }) => type === 'renderer')) {
    const status = await readFile(`/proc/${id}/status`, 'utf8').catch(() => ''); // it may have ended
    sum += 1024 * Number(/RssAnon:\s+(\d+)/.exec(status)?.[1] ?? 0);
  }
  return sum;
}

test('memory goes back after destroy()', async () => {
  const browser = await launch(); // of its own: others may still be ending pages of former tests
  try {
    await onHost({ fault: spied }, ({ origin }) => memoryGoesBack(browser, origin));
  } finally {
    await browser.close();
  }
});

async function memoryGoesBack(browser, origin) {
  const page = await browser.newPage();
  await blank(page, origin);
  const before = await residentMemory(browser);
  await page.evaluate(async () => {
    const text = Array.from({ length: 40 }, (_, i) => `Der Hund ${i} jagt die Katze, und die Katze klettert auf den Baum.`).join(' ');
    globalThis.translator = await globalThis.t.Translator.create({ sourceLanguage: 'de', targetLanguage: 'en' });
    await globalThis.translator.translate(text, { beam: 32 });
  });
  const engine = await memoryOf(await workerOf(page));
  const during = await residentMemory(browser);
  assert.ok(engine > 60e6 && during > before + engine / 2, `${before} bytes, then ${during} with an engine of ${engine}`);
  await page.evaluate(() => globalThis.translator.destroy());
  let after;
  await until('the memory to come back', async () => {
    after = await residentMemory(browser);
    return page.workers().length === 0 && after < during - engine / 2;
  });
  const megabytes = [before, during, after].map((bytes) => Math.round(bytes / 1e6));
  console.log(`      the browser's pages hold ${megabytes.join(', then ')} MB; the engine held ${Math.round(engine / 1e6)}`);
}

const weights = (path) => path.endsWith('/de-en/model.safetensors');
const faults = {
  '404': ({ response }) => response.writeHead(404).end(),
  '500': ({ response }) => response.writeHead(500).end(),
  'wrong bytes': ({ response, bytes }) => response.end(Buffer.alloc(bytes.length)),
  'the wrong type and a start page': ({ response }) => response.writeHead(200, { 'Content-Type': 'text/html' }).end('<!doctype html>'),
  'always cut off at 30 %': ({ response, bytes }) => {
    response.writeHead(200, { 'Content-Length': bytes.length });
    response.write(bytes.subarray(0, bytes.length * 0.3));
    setTimeout(() => response.destroy(), 50);
  },
};

test(
  'a server that fails: one clear rejection, and a clean retry',
  async ({ page }) => {
    let fault = null;
    await onHost(
      {
        fault: (exchange) => {
          if (!fault || !weights(exchange.path)) return false;
          fault(exchange);
          return true;
        },
      },
      async ({ origin }) => {
        await blank(page, origin);
        const attempt = () =>
          page.evaluate(async () => {
            try {
              const translator = await globalThis.t.Translator.create({ sourceLanguage: 'de', targetLanguage: 'en' });
              const text = await translator.translate('Guten Morgen.');
              translator.destroy();
              return { text };
            } catch (error) {
              return { name: error.name, message: error.message, cause: error.cause?.kind };
            }
          });
        for (const [name, answer] of Object.entries(faults)) {
          fault = answer;
          const failure = await attempt();
          assert.equal(failure.name, 'NetworkError', `${name}: ${JSON.stringify(failure)}`);
          assert.match(failure.message, /^de-en\/model\.safetensors: /, name);
          assert.equal(failure.cause, 'download', name);
        }
        // Cut off once: it goes on where it was.
        let times = 0;
        const ranges = [];
        fault = (exchange) => {
          ranges.push(exchange.request.headers.range);
          if (times++ === 0) return faults['always cut off at 30 %'](exchange);
          const from = Number(/\d+/.exec(exchange.request.headers.range)[0]);
          const rest = exchange.bytes.subarray(from);
          exchange.response.writeHead(206, { 'Content-Range': `bytes ${from}-${exchange.bytes.length - 1}/${exchange.bytes.length}` }).end(rest);
        };
        assert.match((await attempt()).text, /morning/i);
        assert.equal(ranges.length, 2);
        assert.match(ranges[1], /^bytes=[1-9]\d*-$/);
        // Kept now: the weights are not asked for again.
        assert.match((await attempt()).text, /morning/i);
        assert.equal(ranges.length, 2);
      },
    );
  },
  { faults: true },
);

test(
  'a server that stalls: one clear rejection, and a clean retry',
  ({ page }) => {
    let stalls = true;
    let stalled = false;
    const answered = new Set();
    const fault = (exchange) => {
      const { path, bytes, response } = exchange;
      if (path.includes('/de-en/')) response.once('finish', () => answered.add(path));
      if (!stalls) return false;
      if (!weights(path)) return spied(exchange);
      response.writeHead(200, { 'Content-Length': bytes.length });
      response.flushHeaders();
      stalled = true;
      return true;
    };
    return onHost({ fault }, async ({ origin, requests }) => {
      const { models } = JSON.parse(await readFile(join(folder, 'node_modules/translucent/lib/models/index.json'), 'utf8'));
      const { files } = models.find(({ id }) => id === 'de-en');
      const others = new Set(files.map(({ sha256 }) => sha256)).size - 1;
      await blank(page, origin);
      await page.evaluate(() => {
        globalThis.creating = globalThis.t.Translator.create({ sourceLanguage: 'de', targetLanguage: 'en' }).catch(
          (error) => ({ name: error.name, message: error.message, cause: error.cause?.kind }),
        );
      });
      // All that the worker waits for by now is what will not come: its thirty seconds are over at once.
      // Of the worker's or, which is a worker of its own, of the download's.
      const waits = () => Promise.all(page.workers().map((worker) => worker.evaluate(() => globalThis.spy?.waits.size ?? 0)));
      const waiting = async () => (await waits()).reduce((sum, count) => sum + count, 0);
      await until('only the weights to be missing', async () => stalled && answered.size === others && (await waiting()) === 1);
      for (const worker of page.workers()) {
        await worker.evaluate(() => {
          for (const over of globalThis.spy.waits.values()) over();
        });
      }
      assert.deepEqual(await page.evaluate(() => globalThis.creating), {
        name: 'NetworkError',
        message: 'de-en/model.safetensors: the server sent nothing for 30 seconds',
        cause: 'download',
      });
      assert.equal(requests.filter(weights).length, 1);
      stalls = false;
      const text = await page.evaluate(async () => (await globalThis.t.Translator.create({ sourceLanguage: 'de', targetLanguage: 'en' })).translate('Guten Morgen.'));
      assert.match(text, /morning/i);
      assert.equal(requests.filter(weights).length, 2);
    });
  },
  { faults: true },
);

test(
  'a server that stalls with the list of models',
  ({ page }) => {
    let stalls = true;
    const fault = ({ path, response }) => {
      if (!stalls || !path.endsWith('/index.json')) return false;
      response.writeHead(200, { 'Content-Type': 'application/json' });
      response.flushHeaders();
      return true;
    };
    return onHost({ fault }, async ({ origin }) => {
      await blank(page, origin);
      /** With the thirty seconds over at once, or as they are. */
      const attempt = (impatient) =>
        page.evaluate(async (impatient) => {
          const { timeout } = AbortSignal;
          if (impatient) AbortSignal.timeout = () => timeout.call(AbortSignal, 1);
          const state = globalThis.t.Translator.availability({ sourceLanguage: 'de', targetLanguage: 'en' });
          AbortSignal.timeout = timeout;
          return state.catch((error) => `${error.name}: ${error.message}`);
        }, impatient);
      assert.equal(await attempt(true), 'UnknownError: models/index.json: no answer from the server');
      stalls = false;
      assert.equal(await attempt(false), 'downloadable');
    });
  },
  { faults: true },
);

test(
  'works offline afterwards',
  async ({ page }) => {
    const server = await host(await installed());
    await blank(page, server.origin);
    const translateOnce = () =>
      page.evaluate(async () => {
        const translator = await globalThis.t.Translator.create({ sourceLanguage: 'de', targetLanguage: 'en' });
        const text = await translator.translate('Guten Morgen.');
        translator.destroy();
        return text;
      });
    const online = await translateOnce();
    assert.equal(await page.evaluate(() => globalThis.t.Translator.availability({ sourceLanguage: 'de', targetLanguage: 'en' })), 'available');
    await server.close();
    assert.equal(await translateOnce(), online);
  },
  { faults: true },
);

test(
  'storage that is full: works without cache',
  ({ page }) =>
    onHost({}, async ({ origin, requests }) => {
      await blank(page, origin);
      const client = await page.context().newCDPSession(page);
      await client.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 1000 });
      for (let i = 0; i < 2; i++) {
        const text = await page.evaluate(async () => {
          const translator = await globalThis.t.Translator.create({ sourceLanguage: 'de', targetLanguage: 'en' });
          const translation = await translator.translate('Guten Morgen.');
          translator.destroy();
          return translation;
        });
        assert.match(text, /morning/i);
      }
      assert.equal(requests.filter(weights).length, 2);
    }),
  { faults: true },
);

test(
  'storage that is denied, in a sandboxed iframe: works without cache',
  ({ page }) =>
    onHost({ headers: { 'Access-Control-Allow-Origin': '*' } }, async ({ origin, requests }) => {
      await blank(page, origin);
      await page.evaluate((src) => {
        const frame = Object.assign(document.createElement('iframe'), { src });
        frame.sandbox.add('allow-scripts');
        document.body.append(frame);
      }, `${origin}/blank.html?frame`);
      const frame = await page.locator('iframe').elementHandle().then((element) => element.contentFrame());
      await frame.waitForFunction(() => document.title === 'blank');
      for (let i = 0; i < 2; i++) {
        const [denied, text] = await frame.evaluate(async (address) => {
          const { Translator } = await import(address);
          let denied = false;
          try {
            await globalThis.caches.keys();
          } catch {
            denied = true;
          }
          const translator = await Translator.create({ sourceLanguage: 'de', targetLanguage: 'en' });
          const text = await translator.translate('Guten Morgen.');
          translator.destroy();
          return [denied, text];
        }, `${origin}/node_modules/translucent/lib/index.js`);
        assert.ok(denied);
        assert.match(text, /morning/i);
      }
      assert.equal(requests.filter(weights).length, 2);
    }),
  { faults: true },
);

/** A page as a site's developer writes it, for a bundler: in a folder of its own beside node_modules. */
async function appFor(bundler) {
  const root = join(await installed(), bundler);
  await mkdir(join(root, 'src'), { recursive: true });
  await writeFile(join(root, 'index.html'), '<!doctype html><meta charset="utf-8"><title>app</title><p id=out></p><script type="module" src="./src/main.js"></script>');
  await writeFile(
    join(root, 'src/main.js'),
    `import { configure, LanguageDetector, Translator } from 'translucent';
     configure({ models: '/node_modules/translucent/lib/models/' });
     const show = (text) => { document.querySelector('#out').textContent = text; };
     (async () => {
       const [{ detectedLanguage }] = await (await LanguageDetector.create()).detect('Guten Morgen, wie geht es dir?');
       const translator = await Translator.create({ sourceLanguage: detectedLanguage, targetLanguage: 'en' });
       show((await translator.translateHTML('<b>Guten Morgen.</b>')));
     })().catch((error) => show(String(error)));`,
  );
  return root;
}

async function showsTranslation(page, address) {
  await page.goto(address);
  await page.waitForFunction(() => document.querySelector('#out').textContent !== '');
  assert.match(await page.locator('#out').textContent(), /^<b>.*morning/i);
}

const isolated = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };
const installedHere = (path) => import(new URL(`../../web/node_modules/${path}`, import.meta.url));

test('in a page that Vite has built', async ({ page }) => {
  const root = await appFor('vite');
  const { build } = await installedHere('vite/dist/node/index.js');
  await build({ root, base: '/vite/dist/', configFile: false, logLevel: 'error', build: { outDir: 'dist', target: 'es2022' } });
  const assets = await readdir(join(root, 'dist/assets'));
  assert.equal(assets.filter((name) => name.endsWith('.wasm')).length, 4, assets.join());
  await onHost({ headers: { 'Content-Security-Policy': strict, ...isolated } }, ({ origin }) => showsTranslation(page, `${origin}/vite/dist/index.html`));
});

test('in the development server of Vite', async ({ page }) => {
  await appFor('vite-server');
  await writeFile(join(folder, 'favicon.ico'), ''); // what a browser asks for by itself
  const { createServer } = await installedHere('vite/dist/node/index.js');
  const server = await createServer({
    root: folder,
    configFile: false,
    logLevel: 'error',
    optimizeDeps: { exclude: ['translucent'] },
    server: { port: 0, hmr: false, watch: null },
  });
  try {
    await server.listen();
    await showsTranslation(page, `${server.resolvedUrls.local[0]}vite-server/index.html`);
  } finally {
    await server.close();
  }
});

test('in a page that webpack has built', async ({ page }) => {
  const root = await appFor('webpack');
  const { default: webpack } = await installedHere('webpack/lib/index.js');
  const compiler = webpack({ mode: 'production', devtool: false, performance: false, context: root, entry: './src/main.js', output: { path: join(root, 'dist') } });
  const stats = await promisify(compiler.run).call(compiler);
  await promisify(compiler.close).call(compiler);
  assert.deepEqual(stats.toJson({ all: false, errors: true, warnings: true }), { errors: [], warnings: [] });
  console.log(`      built in ${((stats.endTime - stats.startTime) / 1000).toFixed(1)} s`);
  const files = await readdir(join(root, 'dist'));
  assert.equal(files.filter((name) => name.endsWith('.wasm')).length, 4, files.join());
  await writeFile(join(root, 'dist/index.html'), '<!doctype html><meta charset="utf-8"><title>app</title><p id=out></p><script type="module" src="main.js"></script>');
  await onHost({ headers: { 'Content-Security-Policy': strict, ...isolated } }, ({ origin }) => showsTranslation(page, `${origin}/webpack/dist/index.html`));
});
