// "Translate" and the shell of the page: every control, in Chromium, at three widths, light and dark.

import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { attention, best, translate } from './native.mjs';

export const tests = [];
const test = (name, run, options = {}) => tests.push({ name, run, options });

const axeSource = await readFile(
  createRequire(new URL('../../web/package.json', import.meta.url)).resolve('axe-core/axe.min.js'),
  'utf8',
);

const done = (page) => page.waitForSelector('#translator[data-state=done]');
const explained = (page) => page.waitForSelector('#translator[data-words=done]');
const output = (page) => page.locator('#translation').evaluate((box) => box.textContent);
const named = (all, id) => all.find(({ info }) => info.id === id);

async function open(page, origin, address = '') {
  await page.goto(`${origin}/${address}`);
  await done(page);
}

async function type(page, text) {
  await page.fill('#source', text);
  await page.waitForFunction(
    () => document.querySelector('#translator').dataset.state === 'done' && document.querySelector('#translation').textContent !== '',
  );
}

/** What axe finds, as one line each. */
async function violations(page) {
  // Evaluated by the debugger: the page's policy lets in no script of another origin, nor inline.
  await page.evaluate(axeSource);
  return page.evaluate(async () => {
    const { violations } = await globalThis.axe.run(document, { resultTypes: ['violations'] });
    return violations.flatMap(({ id, help, nodes }) => nodes.map(({ target, any }) => `${id} (${help}): ${target} ${any[0]?.message ?? ''}`));
  });
}

test(
  'the page answers to its visitor before the model arrives',
  async ({ page, origin, model }) => {
    let release;
    const gate = new Promise((resolve) => (release = resolve));
    await page.context().route(/model\.safetensors/, async (route) => {
      await gate;
      await route.continue();
    });
    await page.goto(`${origin}/`);
    await page.waitForFunction(() => /MB/.test(document.querySelector('#loading-text').textContent));
    // Typing, another language of the page, the theme, the sheets and the sections: all before.
    await page.fill('#source', '猫追狗。');
    await page.selectOption('#interface-language', 'de');
    assert.match(await page.locator('#loading-text').innerText(), /Modell/);
    assert.equal(await page.locator('h1').innerText(), 'Ein Übersetzer, durch den man hindurchsieht');
    await page.click('#theme');
    assert.equal(await page.locator('html').getAttribute('data-theme'), 'light');
    await page.click('#open-history');
    await page.waitForSelector('#history[open]');
    await page.keyboard.press('Escape');
    await page.click('#navigation a[href="#attention"]');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'attention');
    assert.equal(await output(page), '');
    assert.equal(await page.locator('#translator').getAttribute('data-state'), 'loading');
    release();
    await done(page);
    assert.deepEqual([await output(page)], await translate(model.folder, ['猫追狗。']));
  },
  { context: { serviceWorkers: 'block' }, faults: true }, // so that the model's request can be held back
);

test('script and style stay under 150 kB compressed', async ({ root }) => {
  let bytes = 0;
  for (const file of await readdir(root, { recursive: true })) {
    if (!/\.(js|css)$/.test(file) || /engine-[0-9a-f]+\//.test(file) || file.startsWith('models/')) continue;
    bytes += brotliCompressSync(await readFile(join(root, file))).length;
  }
  assert.ok(bytes > 10_000, `only ${bytes} bytes: is this the page?`);
  assert.ok(bytes < 150_000, `${bytes} bytes`);
});

test('a translation grows word by word and is never wiped', async ({ page, origin, all }) => {
  await open(page, origin, '#en-de');
  await type(page, 'A man is walking along the street');
  await page.evaluate(() => {
    const box = document.querySelector('#translation');
    globalThis.seen = [];
    new MutationObserver(() => globalThis.seen.push([box.textContent, document.querySelector('#translator').dataset.state])).observe(box, {
      childList: true,
      characterData: true,
      subtree: true,
    });
  });
  const text = 'A man is walking along the street and talks to a woman who is holding a small child in her arms while they are waiting for the bus.';
  await page.locator('#source').focus();
  await page.keyboard.press('End');
  await page.keyboard.insertText(text.slice(33));
  await done(page); // the state changes with the text, at once
  const [expected] = await translate(named(all, 'en-de').folder, [text]);
  assert.equal(await output(page), expected);
  const seen = (await page.evaluate(() => globalThis.seen)).map(([value]) => value);
  assert.ok(seen.every((value) => value !== ''), 'the translation was wiped');

  // A sentence long enough for several slices of work on a fast machine, from nothing.
  await page.fill('#source', '');
  await page.waitForFunction(() => document.querySelector('#translation').textContent === '');
  await page.evaluate(() => (globalThis.seen = []));
  await type(page, `${text.slice(0, -1).concat(' and ').repeat(6)}they go home.`);
  const whole = await output(page);
  const parts = new Set((await page.evaluate(() => globalThis.seen)).map(([value]) => value).filter((value) => value !== '' && value !== whole));
  assert.ok(parts.size >= 3, `${parts.size} states before the whole sentence: not word by word`);
});

test('a word lights the words it came from, as native attention has it', async ({ page, origin, model }) => {
  const text = '狗追猫。';
  const native = await attention(model.folder, text);
  await open(page, origin);
  await type(page, text);
  await explained(page);
  const clean = (piece) => piece.replace(/^▁/, '');
  for (const [index, word] of [...(await page.locator('#translation .w[tabindex]').all())].entries()) {
    const shown = await word.innerText();
    const t = native.target.tokens.findIndex((piece) => clean(piece) === shown);
    if (t < 0) continue; // of several pieces
    const [source] = native.alignment.find(([, target]) => target === t);
    await word.hover();
    const tip = await page.locator('#word-tip').innerText();
    assert.match(tip, /^[\d.]+ % sure/);
    const piece = clean(native.source.tokens[source]);
    if (piece !== '</s>') assert.ok(tip.includes(`from ${piece}`) || tip.includes(piece), `${shown}: ${tip}, natively from ${piece}`);
    assert.equal(await page.locator('#translation .w.lit').innerText(), shown);
    if (index === 1) {
      // The box in the other pane lies on the character.
      const box = await page.locator('.source-lit').first().boundingBox();
      const pane = await page.locator('#source').boundingBox();
      assert.ok(box.width > 10 && box.x >= pane.x - 1 && box.y >= pane.y - 1 && box.y < pane.y + pane.height);
    }
  }
  // The other way round: the first character of the source.
  const pane = await page.locator('#source').boundingBox();
  await page.mouse.move(pane.x + 12, pane.y + 16);
  await page.waitForSelector('#translation .w.lit');
  await page.mouse.move(0, 0);
  assert.equal(await page.locator('.lit, .source-lit').count(), 0);
  // By keyboard.
  await page.locator('#translation .w[tabindex="0"]').focus();
  await page.keyboard.press('ArrowRight');
  assert.equal(await page.locator('#translation .w.lit').count(), 1);
  assert.equal(await page.evaluate(() => document.activeElement.textContent), await page.locator('#translation .w.lit').innerText());
});

test('uncertain words are marked, others not', async ({ page, origin }) => {
  await open(page, origin, '#en-de');
  await type(page, 'The committee deplored the egregious malfeasance of the erstwhile treasurer.');
  await explained(page);
  const words = await page.locator('#translation .w[tabindex]').all();
  let marked = 0;
  for (const word of words) {
    await word.hover();
    const share = parseFloat((await page.locator('#word-tip strong').innerText()).replace(/[^\d.]*/, ''));
    const doubt = await word.evaluate((element) => element.classList.contains('doubt'));
    if (Math.abs(share - 35) > 1) assert.equal(doubt, share < 35, `${await word.innerText()}: ${share} %`);
    marked += doubt ? 1 : 0;
  }
  assert.ok(marked > 0, 'none of these words is uncertain');
  assert.match(await page.locator('#legend-doubt').innerText(), /less than 35 %/);
});

test('a word’s alternatives: listed, chosen, taken back, by keyboard', async ({ page, origin }) => {
  await open(page, origin, '#en-de');
  await type(page, 'The dog chases the cat.');
  await explained(page);
  const own = await output(page);
  const word = page.locator('#translation .w').nth(1);
  const before = await word.innerText();
  await word.click();
  await page.waitForSelector('.alternative');
  const rows = await page.locator('.alternative').evaluateAll((buttons) =>
    buttons.map((button) => ({
      word: button.querySelector('.alternative-word').textContent,
      share: parseFloat(button.querySelector('.share').textContent.replace('<', '')),
      sentence: [...button.querySelector('.alternative-rest').childNodes].filter((node) => node.nodeName !== 'EM').map((node) => node.textContent).join(''),
      current: button.ariaCurrent === 'true',
    })),
  );
  assert.ok(rows.length >= 3, `${rows.length} alternatives`);
  assert.deepEqual(rows.filter(({ current }) => current).map(({ word, sentence }) => [word, sentence]), [[before, own]]);
  assert.ok(rows.every(({ share }, i) => i === 0 || share <= rows[i - 1].share), 'likeliest first');
  assert.ok(rows.reduce((sum, { share }) => sum + share, 0) <= 101);
  // Whatever is chosen, what stands before it stays.
  const start = own.slice(0, own.indexOf(before));
  assert.ok(rows.filter(({ sentence }) => sentence.startsWith(start)).length >= 3);

  const chosen = rows.findIndex(({ current }) => !current);
  await page.locator('.alternative').nth(chosen).click();
  await page.waitForFunction((wanted) => document.querySelector('#translation').textContent === wanted, rows[chosen].sentence);
  await explained(page);

  // It stays while the sentence does, whatever is written behind it.
  await page.locator('#source').focus();
  await page.keyboard.press('End');
  await page.keyboard.insertText(' It is late.');
  await page.waitForFunction((wanted) => document.querySelector('#translation').textContent.startsWith(`${wanted} `), rows[chosen].sentence);
  await explained(page);

  // Back to the model's own, with the keyboard alone.
  await page.locator('#translation .w[tabindex="0"]').focus();
  await page.keyboard.press('Enter');
  await page.waitForSelector('.alternative');
  assert.ok(await page.evaluate(() => document.activeElement.classList.contains('alternative')));
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('Escape');
  await page.locator('#alternatives').waitFor({ state: 'hidden' });
  await page.keyboard.press('Enter');
  await page.waitForSelector('.alternative');
  await page.locator('#alternatives > .text-button').focus();
  await page.keyboard.press('Enter');
  await page.waitForFunction((wanted) => document.querySelector('#translation').textContent.startsWith(wanted), own);
});

test('the best whole sentences are the native search’s, and one can be chosen', async ({ page, origin, all }) => {
  const text = 'The dog chases the cat.';
  const native = await best(named(all, 'en-de').folder, text, 8, 6);
  await open(page, origin, '#en-de');
  await type(page, text);
  await explained(page);
  const own = await output(page);
  await page.locator('#translation .w').nth(1).click();
  await page.waitForSelector('.alternative-word');
  await page.locator('.alternatives-kind[data-kind=whole]').click();
  await page.waitForSelector('.alternative-whole');
  assert.equal(await page.locator('.alternatives-kind[data-kind=whole]').getAttribute('aria-pressed'), 'true');
  const rows = await page.locator('.alternative').evaluateAll((buttons) =>
    buttons.map((button) => ({
      sentence: [...button.querySelector('.alternative-rest').childNodes].filter((node) => node.nodeName !== 'EM').map((node) => node.textContent).join(''),
      share: parseFloat(button.querySelector('.share').textContent),
      current: button.ariaCurrent === 'true',
      bold: button.querySelector('b').textContent,
    })),
  );
  assert.deepEqual(rows.map(({ sentence }) => sentence), native.map(({ text }) => text));
  for (const [i, { sentence, share, current, bold }] of rows.entries()) {
    assert.ok(Math.abs(share - 100 * Math.exp(native[i].score)) < 1.1, `${sentence}: ${share} %, native ${native[i].score}`);
    assert.equal(current, sentence === own);
    assert.equal(bold === '', sentence === own, sentence); // what is bold differs
  }
  // And back to the word, then a whole sentence after all.
  await page.locator('.alternatives-kind[data-kind=word]').click();
  await page.waitForSelector('.alternative-word');
  await page.locator('.alternatives-kind[data-kind=whole]').click();
  const other = rows.findIndex(({ current }) => !current);
  await page.locator('.alternative-whole').nth(other).click();
  await page.waitForFunction((wanted) => document.querySelector('#translation').textContent === wanted, rows[other].sentence);
});

test('a glossary’s term is used, kept and removed', async ({ page, origin, all }) => {
  const text = 'The dog is sleeping in the garden.';
  const [plain] = await translate(named(all, 'en-de').folder, [text]);
  assert.ok(!plain.includes('Köter'));
  await open(page, origin, '#en-de');
  await type(page, text);
  await page.click('#open-glossary');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'term-source');
  await page.keyboard.type('DOG');
  await page.fill('#term-target', 'Köter');
  await page.keyboard.press('Enter');
  await page.waitForSelector('.term');
  assert.match(await page.locator('#glossary').innerText(), /Plurals and other forms are not recognised/);
  await page.keyboard.press('Escape');
  await page.waitForFunction(() => document.querySelector('#translation').textContent.includes('Köter'));
  const forced = await output(page);
  assert.match(forced, /^(Der|Ein) Köter schläft .*\.$/); // the article agrees, the rest goes on
  // Only in this direction, only as a whole word, and still there after the page was closed.
  await page.reload();
  await done(page);
  await type(page, 'The dogma is old.');
  assert.ok(!(await output(page)).includes('Köter'));
  await type(page, text);
  await page.waitForFunction((wanted) => document.querySelector('#translation').textContent === wanted, forced);
  // With "same case" it is another term.
  await page.click('#open-glossary');
  await page.fill('#term-source', 'DOG');
  await page.fill('#term-target', 'Köter');
  await page.check('#term-exact');
  await page.click('.term-form .button');
  await page.keyboard.press('Escape');
  await page.waitForFunction((wanted) => document.querySelector('#translation').textContent === wanted, plain);
  await page.click('#open-glossary');
  await page.click('.term .close');
  await page.waitForSelector('.sheet-empty');
  assert.equal(await page.evaluate(() => localStorage.getItem('translucent.glossary')), null);
});

test('the history keeps, restores, forgets and can be switched off', async ({ page, origin }) => {
  await open(page, origin);
  const texts = ['我有一本书。', '她在家里。'];
  for (const [i, text] of texts.entries()) {
    await type(page, text);
    await page.waitForFunction((count) => JSON.parse(localStorage.getItem('translucent.history') ?? '[]').length === count, i + 1);
  }
  await page.click('#open-history');
  assert.deepEqual(await page.locator('.entry-source').allInnerTexts(), [...texts].reverse());
  await page.locator('.entry-open').nth(1).click();
  await done(page);
  assert.equal(await page.inputValue('#source'), texts[0]);
  await page.click('#open-history');
  await page.locator('.entry-remove').first().click();
  assert.equal(await page.locator('.entry').count(), 1);
  await page.click('#history-clear');
  assert.equal(await page.locator('.entry').count(), 0);
  assert.equal(await page.evaluate(() => localStorage.getItem('translucent.history')), null);
  await page.uncheck('#history-on');
  await page.keyboard.press('Escape');
  await type(page, '今天很冷。');
  await page.waitForTimeout(2000);
  assert.equal(await page.evaluate(() => localStorage.getItem('translucent.history')), null);
});

test(
  'copied, cleared, and shared by a link whose text is never sent',
  async ({ page, origin }) => {
    const text = '我昨天在图书馆看了一本有意思的书。\n她也去了 100% & #1。';
    await open(page, origin);
    await type(page, text);
    const translated = await output(page);
    await page.click('#copy');
    await page.locator('#notice', { hasText: /^Copied$/ }).waitFor(); // once the clipboard has taken it
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), translated);
    await page.click('#share');
    await page.locator('#notice', { hasText: 'sent to no server' }).waitFor(); // once the clipboard has taken it
    const link = await page.evaluate(() => navigator.clipboard.readText());
    assert.equal(link, page.url());
    assert.ok(link.includes('&'), link);
    await page.click('#clear');
    assert.equal(await page.inputValue('#source'), '');
    assert.equal(await output(page), '');
    assert.ok(!page.url().includes('&'), 'the address forgets what was cleared');

    // A plain link, and one long enough to be packed.
    for (const address of [link, null]) {
      let wanted = text;
      if (address === null) {
        wanted = text.repeat(20);
        await type(page, wanted);
        await page.click('#share');
        await page.waitForFunction(() => location.hash.includes('&z='));
      }
      const other = await page.context().newPage();
      const requests = [];
      other.on('request', (request) => requests.push(request.url() + (request.postData() ?? '')));
      await other.goto(address ?? page.url());
      await done(other);
      assert.equal(await other.inputValue('#source'), wanted);
      const secret = new URL(address ?? page.url()).hash.split('=')[1].slice(0, 40);
      assert.ok(requests.length > 5 && requests.every((url) => !url.split('#')[0].includes(secret)));
      await other.close();
    }
  },
  { context: { permissions: ['clipboard-read', 'clipboard-write'] } },
);

const files = {
  txt: 'The dog chases the cat.\r\n\r\nWhat is your name?\r\nThe children are playing.\r\n',
  md: `---
title: Untouched
---
# The dog chases the cat.

A man is reading a **red book** in the [garden](https://example.org/a_b "x").

\`\`\`js
const dog = 'The dog chases the cat.';
\`\`\`

- What is your name?
- Use \`git push\` and ![picture](dog.png) now.

| The house | The tree |
| --- | --- |
| Two dogs | One cat |
`,
  srt: '1\r\n00:00:01,000 --> 00:00:02,500\r\n<i>The dog chases the cat.</i>\r\n\r\n2\r\n00:00:03,000 --> 00:00:05,000\r\nThe children are playing\r\nfootball in the garden.\r\n',
  html: `<!DOCTYPE html>
<html lang="en"><head><title>The house</title><script>const a = "The dog";</script></head>
<body><h1>The dog chases the cat.</h1>
<p>A man is reading a <b>red book</b> in <a href="https://example.org/a?b=c&amp;d">the garden</a>.</p>
<p translate="no">The children are playing.</p><pre><code>The dog</code></pre>
<ul><li>What is your name?</li></ul><img alt="Two dogs" src="dog.png"></body></html>`,
};

/** The file the page gives back. */
async function translated(page, name, content) {
  await page.setInputFiles('#file', { name, mimeType: 'text/plain', buffer: Buffer.from(content) });
  const link = page.locator('.document', { hasText: name }).locator('a[download]');
  await link.waitFor();
  const [download] = await Promise.all([page.waitForEvent('download'), link.click()]);
  return { name: download.suggestedFilename(), text: await readFile(await download.path(), 'utf8') };
}

test('files come back translated, with everything else as it was', async ({ page, origin, all }) => {
  const native = async (...texts) => translate(named(all, 'en-de').folder, texts);
  const [dog, name, children, football, house, dogs] = await native(
    'The dog chases the cat.',
    'What is your name?',
    'The children are playing.',
    'The children are playing football in the garden.',
    'The house',
    'Two dogs',
  );
  await open(page, origin, '#en-de');
  const txt = await translated(page, 'a.txt', files.txt);
  assert.equal(txt.name, 'a.de.txt');
  assert.equal(txt.text, `${dog}\r\n\r\n${name}\r\n${children}\r\n`);

  const md = (await translated(page, 'b.md', files.md)).text;
  assert.ok(md.startsWith(`---\ntitle: Untouched\n---\n# ${dog}\n\n`), md);
  assert.ok(md.includes("```js\nconst dog = 'The dog chases the cat.';\n```\n\n"), md);
  const paragraph = md.split('\n\n')[1]; // the translation may have its words in another order
  assert.match(paragraph, /\*\*[^*]+\*\*/);
  assert.match(paragraph, /\[[^\]]+\]\(https:\/\/example\.org\/a_b "x"\)/);
  assert.ok(md.includes(`\n- ${name}\n`) && md.includes('`git push`') && md.includes('![picture](dog.png)'), md);
  assert.match(md, /\n\| [^|\n]+ \| [^|\n]+ \|\n\| --- \| --- \|\n\| [^|\n]+ \| [^|\n]+ \|\n$/);
  assert.ok(!md.includes('red book'));

  const srt = (await translated(page, 'c.srt', files.srt)).text;
  const lines = srt.split('\r\n');
  assert.deepEqual(lines.slice(0, 5), ['1', '00:00:01,000 --> 00:00:02,500', `<i>${dog}</i>`, '', '2']);
  assert.equal(lines[5], '00:00:03,000 --> 00:00:05,000');
  assert.equal(lines.length, 9);
  assert.equal(`${lines[6]} ${lines[7]}`, football);

  const html = (await translated(page, 'd.html', files.html)).text;
  assert.ok(html.startsWith('<!DOCTYPE html>\n<html lang="de">'), html);
  assert.ok(html.includes(`<h1>${dog}</h1>`) && html.includes(`<li>${name}</li>`) && html.includes(`<title>${house}</title>`), html);
  assert.ok(html.includes('const a = "The dog";') && html.includes('<pre><code>The dog</code></pre>'), html);
  assert.ok(html.includes('<p translate="no">The children are playing.</p>'), html);
  assert.match(html, /<p>[^\n]*<b>[^<]+<\/b>[^\n]*<\/p>/);
  assert.match(html, /<p>[^\n]*<a href="https:\/\/example\.org\/a\?b=c&amp;d">[^<]+<\/a>[^\n]*<\/p>/);
  assert.ok(html.includes(`<img alt="${dogs}" src="dog.png">`), html); // what a reader may get to see

  // A file of another kind, and a long one cancelled.
  await page.setInputFiles('#file', { name: 'e.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF') });
  await page.waitForFunction(() => /e\.pdf: only/.test(document.querySelector('#notice').textContent));
  const long = Array.from({ length: 4000 }, (_, i) => `I have ${i + 100} books and ${i + 2} friends.`).join('\n\n');
  await page.setInputFiles('#file', { name: 'f.txt', mimeType: 'text/plain', buffer: Buffer.from(long) });
  const row = page.locator('.document', { hasText: 'f.txt' });
  await row.getByText(/^[1-9]\d? % translated$/).waitFor();
  await row.getByRole('button', { name: 'Cancel' }).click();
  await row.getByText('cancelled').waitFor();
  const rows = await page.locator('.document').count();
  await row.getByRole('button', { name: /Remove/ }).click();
  assert.equal(await page.locator('.document').count(), rows - 1);
  // And the panes still translate.
  await type(page, 'The dog chases the cat.');
  assert.equal(await output(page), dog);
},
  { faults: true }, // Chromium reports the <style> of a file that is only parsed; nothing is applied
);

test('a dropped file is translated', async ({ page, origin, model }) => {
  await open(page, origin);
  const transfer = await page.evaluateHandle(() => {
    const data = new DataTransfer();
    data.items.add(new File(['狗追猫。\n'], 'drop.txt', { type: 'text/plain' }));
    return data;
  });
  await page.dispatchEvent('main', 'dragover', { dataTransfer: transfer });
  assert.equal(await page.locator('#drop').isVisible(), true);
  await page.dispatchEvent('main', 'drop', { dataTransfer: transfer });
  assert.equal(await page.locator('#drop').isVisible(), false);
  const [download] = await Promise.all([page.waitForEvent('download'), page.locator('a[download="drop.en.txt"]').click()]);
  assert.equal(await readFile(await download.path(), 'utf8'), `${(await translate(model.folder, ['狗追猫。']))[0]}\n`);
});

test('the text tells its language where it is to', async ({ page, origin, all }) => {
  await open(page, origin);
  assert.match(await page.locator('#to option:checked').innerText(), /^English · \d+\.\d MB$/);
  await page.selectOption('#from', 'auto');
  for (const [text, id, name] of [
    ['Die Kinder spielen im Garten Fußball.', 'de-en', 'German, detected'],
    ['Two dogs are running across a green field.', null, 'English, detected'],
  ]) {
    await page.fill('#source', text);
    await page.waitForFunction((wanted) => document.querySelector('#from').selectedOptions[0].textContent === wanted, name);
    await done(page);
    const model = named(all, id ?? `en-${await page.inputValue('#to')}`);
    await page.waitForFunction((wanted) => document.querySelector('#translation').textContent === wanted, (await translate(model.folder, [text]))[0]);
  }
  await page.fill('#source', 'Dzień dobry, jak się masz? Dziękuję, wszystko w porządku.');
  await page.waitForFunction(() => /Polish/.test(document.querySelector('#detected').textContent));
});

test('installed and offline, the page translates', async ({ page, origin, model }) => {
  await open(page, origin);
  await page.waitForFunction(() => document.querySelector('#offline').textContent === 'works offline');
  const devtools = await page.context().newCDPSession(page);
  const { installabilityErrors } = await devtools.send('Page.getInstallabilityErrors');
  assert.deepEqual(installabilityErrors.filter(({ errorId }) => errorId !== 'in-incognito'), []);
  const { errors } = await devtools.send('Page.getAppManifest');
  assert.deepEqual(errors, []);
  await page.context().setOffline(true);
  await page.reload();
  await done(page);
  await type(page, '猫追狗。');
  assert.deepEqual([await output(page)], await translate(model.folder, ['猫追狗。']));
  assert.equal(await page.evaluate(() => crossOriginIsolated), true);
  await page.context().setOffline(false);
});

test('light, dark and the page’s language are chosen and kept', async ({ page, origin }) => {
  await open(page, origin);
  const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await paper();
  await page.emulateMedia({ colorScheme: 'dark' });
  const dark = await paper();
  assert.notEqual(light, dark);
  await page.click('#theme'); // system → light
  assert.equal(await paper(), light);
  await page.selectOption('#interface-language', 'zh');
  assert.equal(await page.locator('html').getAttribute('lang'), 'zh');
  await page.reload();
  assert.equal(await paper(), light);
  assert.equal(await page.inputValue('#interface-language'), 'zh');
  await done(page);
  assert.match(await page.locator('#took').innerText(), /^用时 /);
  await page.click('#theme');
  assert.equal(await paper(), dark);
  await page.click('#theme');
  await page.emulateMedia({ colorScheme: 'light' });
  assert.equal(await paper(), light);
  // It says how it runs, in every language.
  for (const [language, own] of [
    ['en', /Runs on your machine.*Translated in .*words\/s.*thread.*wasm-/s],
    ['de', /Läuft auf Ihrem Gerät.*Übersetzt in .*Wörter\/s.*Thread.*wasm-/s],
    ['zh', /在您的设备上运行.*用时.*每秒.*线程.*wasm-/s],
  ]) {
    await page.selectOption('#interface-language', language);
    await page.locator('.example').nth(3).click();
    await done(page);
    assert.match(await page.locator('.status').innerText(), own);
  }
});

for (const [width, height, colorScheme, locale, sheets] of [
  [1440, 900, 'light', 'en-US', true],
  [1024, 768, 'dark', 'de-DE', true],
  [390, 844, 'light', 'zh-CN', true],
  [390, 844, 'dark', 'en-US', false],
  [1440, 900, 'dark', 'zh-CN', false],
  [1024, 768, 'light', 'en-US', false],
]) {
  test(
    `axe finds nothing and nothing overflows (${width}, ${colorScheme}, ${locale})`,
    async ({ page, origin, results }) => {
      await open(page, origin, '#en-de');
      await type(page, 'The committee deplored the egregious malfeasance of the erstwhile treasurer. The weather is nice today.');
      await explained(page);
      const fits = async (where) => {
        const { scroll, client } = await page.evaluate(() => ({
          scroll: document.documentElement.scrollWidth,
          client: document.documentElement.clientWidth,
        }));
        assert.ok(scroll <= client, `${where}: ${scroll} > ${client}`);
      };
      await fits('page');
      assert.deepEqual(await violations(page), [], 'page');
      await page.screenshot({ path: `${results}/translate-${width}-${colorScheme}.png` });
      if (!sheets) return;
      await page.locator('#translation .w.doubt').first().click();
      await page.waitForSelector('.alternative');
      await fits('alternatives');
      assert.deepEqual(await violations(page), [], 'alternatives');
      await page.screenshot({ path: `${results}/alternatives-${width}-${colorScheme}.png` });
      await page.keyboard.press('Escape');
      await page.click('#open-glossary');
      await page.fill('#term-source', 'dog');
      await page.fill('#term-target', 'Köter');
      await page.click('.term-form .button');
      await page.waitForSelector('.term');
      assert.deepEqual(await violations(page), [], 'glossary');
      await page.screenshot({ path: `${results}/glossary-${width}-${colorScheme}.png` });
      await page.keyboard.press('Escape');
      await page.waitForFunction(() => localStorage.getItem('translucent.history') !== null);
      await page.click('#open-history');
      await page.waitForSelector('.entry');
      assert.deepEqual(await violations(page), [], 'history');
      await page.screenshot({ path: `${results}/history-${width}-${colorScheme}.png` });
    },
    { context: { viewport: { width, height }, colorScheme, locale, reducedMotion: width === 390 ? 'reduce' : 'no-preference' } },
  );
}
