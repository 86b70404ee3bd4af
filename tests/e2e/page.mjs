// What the built page does, compared with the native command line on the same model.

import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serve } from '../../web/scripts/serve.mjs';
import { models, translate } from './native.mjs';

export const tests = [];
const test = (name, run, options = {}) => tests.push({ name, run, options });

export const sentences = ['狗追猫。', '猫追狗。', '我昨天在图书馆看了一本有意思的书。'];
export const paragraph = '今天天气很好。我们去公园走走吧！你想一起来吗？';
export const long =
  '如果明天下雨，我们就待在家里看一本昨天从图书馆借来的有意思的书，然后和家里的人一起做晚饭，吃完以后再出去看电影。';

/** Opens the page and waits for the example it begins with. */
export async function ready(page, origin) {
  await page.goto(`${origin}/`);
  await done(page);
}

export async function done(page) {
  await page.waitForSelector('#translator[data-state=done]');
}

export async function type(page, text) {
  await page.fill('#source', text);
  await done(page);
}

/** Waits for the attention of this sentence. */
export async function explained(page, text) {
  await page.waitForFunction(
    (wanted) =>
      document.querySelector('#attention')?.dataset.state === 'done' &&
      document.querySelector('#explained-source')?.textContent === wanted,
    text,
  );
}

test('translates as the native command line does', async ({ page, origin, model }) => {
  const texts = [...sentences, paragraph];
  const expected = await translate(model.folder, texts);
  await ready(page, origin);
  for (const [i, text] of texts.entries()) {
    await type(page, text);
    assert.equal(await page.locator('#translation').innerText(), expected[i]);
    assert.match(await page.locator('#took').innerText(), /^Translated in (\d+ ms|under 1 ms|[\d.]+ s)$/);
  }
});

const ofLanguage = {
  zh: '我昨天在图书馆看了一本有意思的书。',
  en: 'The children are playing football in the garden.',
  de: 'Die Kinder spielen im Garten Fußball.',
};

test('every direction translates as the native command line does', async ({ page, origin, all }) => {
  assert.ok(all.length >= 4, `${all.length} directions`);
  await ready(page, origin);
  for (const { info, folder } of all) {
    const [expected] = await translate(folder, [ofLanguage[info.source]]);
    // Two steps where the first choice leaves no such pair.
    await page.selectOption('#from', info.source);
    if (await page.locator('#to').isEnabled()) await page.selectOption('#to', info.target);
    await page.waitForFunction((name) => document.querySelector('#model-line').textContent.includes(name), info.name);
    await type(page, ofLanguage[info.source]);
    assert.equal(await page.locator('#translation').innerText(), expected, info.id);
    assert.equal(await page.locator('#translation').getAttribute('lang'), info.target);
    assert.equal(new URL(page.url()).hash, `#${info.id}`);
  }
});

test('the address chooses the direction, and the languages can be swapped', async ({ page, origin, all }) => {
  const named = (id) => all.find(({ info }) => info.id === id);
  await page.goto(`${origin}/#de-en`);
  await done(page);
  assert.equal(await page.inputValue('#from'), 'de');
  assert.equal(await page.inputValue('#to'), 'en');
  await type(page, ofLanguage.de);
  const [english] = await translate(named('de-en').folder, [ofLanguage.de]);
  assert.equal(await page.locator('#translation').innerText(), english);
  await page.click('#swap');
  await done(page);
  assert.equal(await page.inputValue('#source'), english);
  const [german] = await translate(named('en-de').folder, [english]);
  assert.equal(await page.locator('#translation').innerText(), german);
  await explained(page, english);
});

test('a direction chosen while another is loading wins', async ({ page, origin, all }) => {
  await page.goto(`${origin}/#de-en`);
  await page.selectOption('#from', 'zh');
  await page.selectOption('#from', 'en');
  await page.selectOption('#to', 'de');
  await done(page);
  await type(page, ofLanguage.en);
  const [expected] = await translate(all.find(({ info }) => info.id === 'en-de').folder, [ofLanguage.en]);
  assert.equal(await page.locator('#translation').innerText(), expected);
});

test('tells who chases whom', async ({ page, origin }) => {
  await ready(page, origin);
  const translations = [];
  for (const example of [0, 1]) {
    await page.locator('.example').nth(example).click();
    await done(page);
    translations.push(await page.locator('#translation').innerText());
  }
  assert.notEqual(translations[0], translations[1]);
});

test('paragraphs keep their lines', async ({ page, origin, model }) => {
  const [first, second] = await translate(model.folder, sentences);
  await ready(page, origin);
  await type(page, `${sentences[0]}\n\n${sentences[1]}\n`);
  assert.equal(await page.locator('#translation').evaluate((box) => box.textContent), `${first}\n\n${second}\n`);
});

test('loads everything from its own origin, with progress', async ({ page, root, model }) => {
  await page.addInitScript(() => {
    globalThis.seen = [];
    addEventListener('DOMContentLoaded', () => {
      const text = document.querySelector('#loading-text');
      new MutationObserver(() => globalThis.seen.push(text.textContent)).observe(text, {
        childList: true,
        characterData: true,
        subtree: true,
      });
    });
  });
  // The server sees all that is asked for, whoever asks.
  const paths = [];
  const server = await serve({ root, models });
  server.on('request', (request) => paths.push(request.url));
  const origin = `http://localhost:${server.address().port}`;
  try {
    await ready(page, origin);
  } finally {
    server.close();
    server.closeAllConnections();
  }
  assert.ok(page.watched.requests.every((url) => url.startsWith(`${origin}/`)));
  assert.ok(paths.some((path) => path.endsWith('.wasm')));
  const hashes = new Set(model.info.files.map((file) => file.sha256));
  const fetched = paths.filter((path) => path.startsWith(`/models/${model.info.id}/`));
  assert.equal(fetched.length, hashes.size, fetched.join()); // each content once, whatever its names
  const seen = await page.evaluate(() => globalThis.seen);
  assert.ok(seen.some((text) => /^Loading the model: [\d.]+ (bytes|kB|MB) of [\d.]+ MB$/.test(text)), seen.join());
  assert.equal(await page.locator('#loading').isVisible(), false);
  const line = await page.locator('#model-line').innerText();
  assert.ok(line.includes(model.info.name) && line.includes('MB') && line.includes('runs on your machine'), line);
});

const engineLine = (page) => page.locator('#engine-line').innerText();

test('an isolated page runs the engine with threads', async ({ page, origin }) => {
  await ready(page, origin);
  const processors = await page.evaluate(() => navigator.hardwareConcurrency);
  const line = await engineLine(page);
  if (processors > 1) assert.match(line, /^Engine translucent(-relaxed)?-threads: kernels wasm-\S+, \d threads$/);
  else assert.match(line, /^Engine translucent(-relaxed)?: kernels wasm-\S+, one thread$/);
  const text = await page.locator('#translation').innerText();
  await type(page, paragraph.repeat(20)); // in groups that several threads share
  const several = await page.locator('#translation').innerText();
  await type(page, paragraph);
  assert.ok(several.startsWith(await page.locator('#translation').innerText()));
  assert.notEqual(text, several);
});

/** Serves the page as a host does that knows nothing of isolation. */
async function onPlainHost({ root, page }, check) {
  const server = await serve({ root, models, isolated: false });
  try {
    await check(`http://localhost:${server.address().port}`);
    await page.close();
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

test(
  'a page that is not isolated runs one thread and answers',
  (environment) =>
    onPlainHost(environment, async (origin) => {
      const { page } = environment;
      await ready(page, origin);
      assert.equal(await page.evaluate(() => crossOriginIsolated), false);
      assert.match(await engineLine(page), /^Engine translucent(-relaxed)?: kernels wasm-\S+, one thread$/);
      await type(page, sentences[1]);
      assert.notEqual(await page.locator('#translation').innerText(), '');
    }),
  { context: { serviceWorkers: 'block' }, faults: true }, // the worker that may not be is an error
);

test('on a host that sends no headers a service worker isolates the page', (environment) =>
  onPlainHost(environment, async (origin) => {
    const { page } = environment;
    await page.goto(`${origin}/`);
    await page.waitForFunction(() => crossOriginIsolated); // after its one reload
    await done(page);
    if ((await page.evaluate(() => navigator.hardwareConcurrency)) > 1) {
      assert.match(await engineLine(page), /-threads: /);
    }
    await type(page, sentences[1]);
    assert.notEqual(await page.locator('#translation').innerText(), '');
  }));

test('the last of what was typed is what stays', async ({ page, origin, model }) => {
  const [expected] = await translate(model.folder, [sentences[2]]);
  await ready(page, origin);
  await page.fill('#source', '');
  assert.equal(await page.locator('#translation').innerText(), '');
  await page.locator('#source').pressSequentially(sentences[2], { delay: 60 });
  await done(page);
  assert.equal(await page.locator('#translation').innerText(), expected);
  await explained(page, sentences[2]);
});

test('a change taken back leaves the translation that is there', async ({ page, origin }) => {
  await ready(page, origin);
  await explained(page, sentences[0]);
  const before = await page.locator('#translation').innerText();
  await page.keyboard.press('End');
  await page.keyboard.insertText('了');
  await page.keyboard.press('Backspace');
  await done(page);
  assert.equal(await page.locator('#translation').innerText(), before);
  await page.waitForTimeout(400);
  assert.equal(await page.locator('#translation').innerText(), before);
  await explained(page, sentences[0]);
});

test('a long text gives way to a short one', async ({ page, origin, model }) => {
  const [expected] = await translate(model.folder, [sentences[1]]);
  await ready(page, origin);
  const numbers = Array.from({ length: 600 }, (_, i) => `我有${i + 100}本书。`).join('');
  // Every state of the progress line, to see that the rest was not translated first. The short text comes with
  // the first of them, in the page: from here it might come after the last.
  await page.evaluate((short) => {
    const took = document.querySelector('#took');
    const source = document.querySelector('#source');
    window.progress = [];
    new MutationObserver(() => {
      if (!/ of 600 sentences$/.test(took.textContent)) return;
      if (window.progress.push(took.textContent) > 1) return;
      source.value = short;
      source.dispatchEvent(new InputEvent('input', { bubbles: true }));
    }).observe(took, { childList: true, characterData: true, subtree: true });
  }, sentences[1]);
  await page.fill('#source', numbers);
  await page.waitForFunction((short) => document.querySelector('#source').value === short, sentences[1]);
  await done(page);
  assert.equal(await page.locator('#translation').innerText(), expected);
  const reached = (await page.evaluate(() => window.progress)).map((text) => parseInt(text, 10));
  assert.ok(reached.length > 0 && Math.max(...reached) < 599, `reached ${reached.at(-1)} of 600`);
});

test('the sentence explained follows the caret and can be chosen', async ({ page, origin }) => {
  await ready(page, origin);
  await type(page, paragraph);
  await page.locator('#source').focus();
  await page.keyboard.press('Control+Home');
  await explained(page, '今天天气很好。');
  await page.locator('#source').evaluate((box) => box.setSelectionRange(9, 9));
  await explained(page, '我们去公园走走吧！');
  assert.equal(await page.locator('#translation .marked').count(), 1);
  await page.selectOption('#sentence', '2');
  await explained(page, '你想一起来吗？');
});

test('works by keyboard alone', async ({ page, origin, model }) => {
  const expected = await translate(model.folder, sentences);
  await ready(page, origin);
  // The source has the focus and its text is selected: typing replaces it.
  await page.keyboard.insertText(sentences[2]);
  await done(page);
  assert.equal(await page.locator('#translation').innerText(), expected[2]);
  const focused = () => page.evaluate(() => document.activeElement.name || document.activeElement.className);
  const tabTo = async (name) => {
    for (let i = 0; i < 20; i++) {
      if ((await focused()).split(' ')[0] === name) return;
      await page.keyboard.press('Tab');
    }
    assert.fail(`Tab does not reach ${name}`);
  };
  await tabTo('example');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter'); // the second example
  await done(page);
  assert.equal(await page.locator('#translation').innerText(), expected[1]);
  await explained(page, sentences[1]);
});

for (const scheme of ['light', 'dark']) {
  test(
    `a phone’s width does not scroll sideways (${scheme})`,
    async ({ page, origin, results }) => {
      await ready(page, origin);
      await type(page, long);
      await page.waitForSelector('#attention[data-state=done]');
      const widths = await page.evaluate(() => ({
        page: document.documentElement.scrollWidth,
        window: innerWidth,
      }));
      assert.deepEqual(widths, { page: 360, window: 360 });
      const [card, size] = [await page.locator('#translator').boundingBox(), await page.locator('#to').boundingBox()];
      assert.ok(size.x + size.width <= card.x + card.width, 'the list of target languages is cut off');
      await page.screenshot({ path: `${results}/phone-${scheme}.png`, fullPage: true });
    },
    {
      context: {
        viewport: { width: 360, height: 740 },
        colorScheme: scheme,
        hasTouch: true,
        isMobile: true,
        deviceScaleFactor: 2,
      },
    },
  );
}

test(
  'a missing or damaged model file is named, and another try works',
  async ({ page, model, root }) => {
    const folder = await mkdtemp(join(tmpdir(), 'models-'));
    const name = 'model.safetensors';
    const file = join(folder, model.info.id, name);
    await cp(model.modelsFolder, folder, { recursive: true });
    const bytes = await readFile(file);
    await rm(file);
    const server = await serve({ root, models: folder });
    try {
      const alert = page.getByRole('alert').filter({ visible: true });
      await page.goto(`http://localhost:${server.address().port}/`);
      await alert.getByText(`${model.info.id}/${name}: the server answered 404`).waitFor();

      const damaged = Buffer.from(bytes);
      damaged[damaged.length >> 1] ^= 1;
      await writeFile(file, damaged);
      await alert.getByRole('button', { name: 'Try again' }).click();
      await alert.getByText(`${model.info.id}/${name}: the bytes are not those the index promises`).waitFor();

      await writeFile(file, bytes);
      await alert.getByRole('button', { name: 'Try again' }).click();
      await done(page);
      assert.equal(await alert.count(), 0);
      assert.notEqual(await page.locator('#translation').innerText(), '');
    } finally {
      server.close();
      await rm(folder, { recursive: true });
    }
  },
  { faults: true },
);
