// Step inside: the walk, the pair, the similarity functions and the race, in the built page.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { attention } from './native.mjs';

export const tests = [];
const test = (name, run, options = {}) => tests.push({ name: `inside: ${name}`, run, options });

const sentence = '狗追猫。';

async function ready(page, origin) {
  await page.goto(`${origin}/#zh-en`);
  await page.waitForSelector('#translator[data-state=done]');
  await page.fill('#source', sentence);
  await page.waitForSelector('#translator[data-state=done]');
  await page.locator('.inside-walk').scrollIntoViewIfNeeded();
  await traced(page);
}

/** The walk has its trace of the sentence. */
const traced = (page) => page.waitForSelector('.inside-walk[data-state=done]');

async function open(page, stage) {
  await page.click(`#inside-tab-${stage}`);
  await page.waitForSelector(`.inside-stage[data-stage=${stage}]`);
}

const matrix = (page, index = 0) => page.locator('.inside-stage .inside-matrix').nth(index);

/** Rows, columns, least and largest value as the page states them. */
async function factsOf(page, index = 0) {
  const facts = await matrix(page, index).locator('.inside-matrix-facts').innerText();
  const found = /^(\d+) × (\d+), (\S+) to (\S+)$/.exec(facts.replaceAll('−', '-'));
  assert.ok(found, facts);
  return { rows: Number(found[1]), cols: Number(found[2]), min: Number(found[3]), max: Number(found[4]) };
}

/** One value of a matrix, by the keyboard; the readout says it too. */
async function valueAt(page, index, row, col) {
  const box = matrix(page, index).locator('.inside-matrix-box');
  await box.focus();
  await page.keyboard.press('Control+Home');
  for (let i = 0; i < row; i++) await page.keyboard.press('ArrowDown');
  for (let i = 0; i < col; i++) await page.keyboard.press('ArrowRight');
  const readout = matrix(page, index).locator('.inside-readout');
  return { value: Number(await readout.getAttribute('data-value')), said: await readout.innerText() };
}

async function flip(page, name, on) {
  await page.locator(`input[name=inside-${name}]`).evaluate((input, on) => input.checked === on || input.click(), on);
  await traced(page);
}

async function pick(page, name, index) {
  await page.check(`input[name=inside-${name}][value="${index}"]`, { force: true });
  await traced(page);
}

const stages = [
  'pieces', 'embedding', 'position', 'sum', 'qkv', 'scores', 'scaled', 'masked', 'softmax', 'attended', 'joined', 'norm',
  'feedforward', 'layers', 'encoded', 'input', 'self', 'cross', 'decoded', 'logits', 'probabilities', 'loop',
];

test('the walk leads through every stage, each with its matrix, formula and sentence', async ({ page, origin, model }) => {
  const native = await attention(model.folder, sentence);
  await ready(page, origin);
  const n = native.source.tokens.length + 2; // padding
  const steps = native.target.tokens.length;
  assert.deepEqual(await page.locator('.inside-pieces .inside-piece').allInnerTexts(), native.source.tokens);
  const shapes = {
    embedding: [n, 256], position: [n, 256], sum: [n, 256], qkv: [n, 32], scores: [n, n], scaled: [n, n], masked: [n, n],
    softmax: [n, n], attended: [n, 32], joined: [n, 256], norm: [n, 256], feedforward: [n, 1024], layers: [n, 256],
    encoded: [n, 256], input: [steps, 256], self: [steps, steps], cross: [steps, n], decoded: [steps, 256], logits: [1, 8000],
  };
  const titles = new Set();
  for (const [i, stage] of stages.entries()) {
    await page.waitForSelector(`.inside-stage[data-stage=${stage}]`);
    await traced(page);
    titles.add(await page.locator('.inside-stage h3').innerText());
    assert.ok((await page.locator('.inside-stage > .about').first().innerText()).length > 20, stage);
    assert.ok((await page.locator('.inside-formula math').count()) > 0, `${stage} has a formula`);
    assert.equal(await page.locator(`#inside-tab-${stage}`).getAttribute('aria-selected'), 'true');
    if (shapes[stage]) {
      const { rows, cols, min, max } = await factsOf(page);
      assert.deepEqual([rows, cols], shapes[stage], stage);
      assert.ok(min <= max, stage);
    }
    if (i < stages.length - 1) await page.click('[data-go=next]');
  }
  assert.equal(titles.size, stages.length);
  assert.equal(await page.locator('[data-go=next]').isDisabled(), true);
  await page.click('[data-go=previous]');
  await page.waitForSelector('.inside-stage[data-stage=probabilities]');
  await open(page, 'position');
  await page.waitForSelector('.inside-extra .inside-plot');
  assert.equal(await page.locator('.inside-extra polyline').count(), 3);
  await open(page, 'scaled');
  await page.waitForSelector('.inside-extra .inside-plot');
  assert.equal(await page.locator('.inside-extra .inside-plot').count(), 2);
});

test('weights are the native command line’s, for every layer and head chosen', async ({ page, origin, model }) => {
  const native = await attention(model.folder, sentence);
  await ready(page, origin);
  await page.waitForFunction(
    (wanted) => document.querySelector('#translation')?.textContent === wanted,
    native.target.text,
  );
  for (const [stage, stack, side, layer, head] of [
    ['softmax', 'encoder', 'encoder', 0, 0],
    ['softmax', 'encoder', 'encoder', 3, 5],
    ['self', 'decoder', 'decoder', 1, 2],
    ['cross', 'cross', 'decoder', 0, 7],
  ]) {
    await open(page, stage);
    await pick(page, `${side}Layer`, layer);
    await pick(page, `${side}Head`, head);
    for (const [row, col] of [[1, 0], [3, 2]]) {
      const { value, said } = await valueAt(page, 0, row, col);
      const expected = native.attention[stack][layer][head][row][col];
      // Within what int8 activations rounded the other way can do: see kRounding in attention.mjs.
      assert.ok(Math.abs(value - expected) < 0.02, `${stage} ${layer} ${head} [${row}][${col}]: ${value}, native ${expected}`);
      assert.match(said, / = \S+$/);
    }
  }
});

test('switches change what is computed, and back', async ({ page, origin }) => {
  await ready(page, origin);
  const effect = page.locator('.inside-effect');
  // The future leaks in.
  await open(page, 'self');
  assert.equal((await valueAt(page, 0, 0, 3)).value, 0);
  assert.match((await valueAt(page, 1, 0, 3)).said, /masked/);
  await flip(page, 'causal', false);
  assert.ok((await valueAt(page, 0, 0, 3)).value > 0);
  assert.ok((await effect.locator('li').count()) > 3);
  const probabilities = await effect.locator('.inside-id').allInnerTexts();
  assert.ok(probabilities.some((text) => text.split(' → ')[0] !== text.split(' → ')[1]), probabilities.join());
  // What is written word by word has no future to look at: it stays the same, and the page says why.
  assert.match(await effect.locator('.inside-leak').innerText(), /nothing can leak in/);
  assert.ok((await effect.locator('.inside-rewritten').innerText()).includes(`“${await page.locator('#translation').innerText()}”`));
  await flip(page, 'causal', true);
  assert.equal((await valueAt(page, 0, 0, 3)).value, 0);
  assert.equal(await effect.locator('li').count(), 0);
  // Padding is looked at.
  await open(page, 'masked');
  const { cols } = await factsOf(page, 1);
  assert.equal((await valueAt(page, 1, 0, cols - 1)).value, 0);
  await flip(page, 'padded', false);
  assert.ok((await valueAt(page, 1, 0, cols - 1)).value > 0);
  await flip(page, 'padded', true);
  // Not divided: the scores are as they were before.
  await open(page, 'scores');
  const raw = (await valueAt(page, 0, 1, 1)).value;
  await open(page, 'scaled');
  const scaled = (await valueAt(page, 0, 1, 1)).value;
  assert.ok(Math.abs(raw / scaled - Math.sqrt(32)) < 1e-3, `${raw} ${scaled}`);
  await flip(page, 'scaled', false);
  assert.equal((await valueAt(page, 0, 1, 1)).value, raw);
  await flip(page, 'scaled', true);
  // Words without their positions.
  await open(page, 'embedding');
  const word = (await valueAt(page, 0, 2, 3)).value;
  await open(page, 'sum');
  assert.notEqual((await valueAt(page, 0, 2, 3)).value, word);
  await flip(page, 'positions', false);
  assert.equal((await valueAt(page, 0, 2, 3)).value, word);
  assert.match(await effect.innerText(), /would write: “/);
  await flip(page, 'positions', true);
});

test('the decoding loop plays to the end symbol, and can be stepped', async ({ page, origin }) => {
  await ready(page, origin);
  await open(page, 'loop');
  const range = page.locator('input[name=inside-step]');
  const last = Number(await range.getAttribute('max'));
  await range.focus();
  await page.keyboard.press('End');
  assert.equal(await page.locator('.inside-loop .now .inside-piece').last().innerText(), '</s>');
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('ArrowLeft');
  assert.equal(await page.locator('.inside-loop .done').count(), last - 2);
  await page.click('.inside-play');
  await page.waitForSelector('.inside-loop li:last-child.now');
  await open(page, 'probabilities');
  assert.equal(await page.locator('.inside-candidates .chosen').count(), 1);
  await page.locator('input[name=inside-step]').focus();
  await page.keyboard.press('Home');
  assert.equal(await page.locator('.inside-candidates li').count() >= 10, true);
});

test('without positions 狗追猫 and 猫追狗 are one, with them they are two', async ({ page, origin }) => {
  await ready(page, origin);
  await page.locator('#inside-pair').scrollIntoViewIfNeeded();
  const done = () => page.waitForSelector('#inside-pair[data-state=done]');
  await done();
  const side = (on) => page.locator(`#inside-pair [data-positions=${on}]`);
  const largest = async (on) => Number(await side(on).getAttribute('data-largest'));
  assert.ok((await largest('on')) > 0.1);
  assert.ok((await largest('off')) < 1e-5);
  const translations = (on) => side(on).locator('.inside-translations li').allInnerTexts();
  const without = (await translations('off')).map((line) => line.split('→')[1]);
  assert.equal(without[0], without[1]);
  const withThem = (await translations('on')).map((line) => line.split('→')[1]);
  assert.notEqual(withThem[0], withThem[1]);
  await page.fill('input[name=inside-first]', '我爱你');
  await page.fill('input[name=inside-second]', '他爱他');
  await page.press('input[name=inside-second]', 'Enter');
  await page.waitForFunction(() => document.querySelector('#inside-pair .inside-translations')?.textContent.includes('我爱你'));
  assert.match(await page.locator('#inside-pair .inside-results').innerText(), /not the same pieces/);
});

test('similarity functions and the race are computed and measured here', async ({ page, origin }) => {
  await ready(page, origin);
  // The panel above it first: it grows, and would push what is below out of sight again.
  await page.locator('#inside-pair').scrollIntoViewIfNeeded();
  await page.waitForSelector('#inside-pair[data-state=done]');
  await page.locator('#inside-similarity').scrollIntoViewIfNeeded();
  await page.waitForSelector('#inside-similarity[data-state=done]');
  assert.equal(await page.locator('.inside-card').count(), 7);
  const pictures = await page.locator('.inside-card canvas').evaluateAll((all) => all.map((canvas) => canvas.toDataURL()));
  // Concatenation is additive attention in another order of operations: the same picture.
  assert.equal(new Set(pictures).size, 6);
  await page.click('#inside-similarity .inside-press');
  await page.waitForSelector('#inside-similarity .inside-plot', { timeout: 300_000 });
  assert.equal(await page.locator('#inside-similarity polyline').count(), 6);
  assert.equal(await page.locator('#inside-similarity tbody tr').count(), 7);
  assert.match(await page.locator('#inside-similarity tbody tr').first().innerText(), /\d (µs|ms|s)/);
  await page.click('#inside-race .inside-press');
  // The page answers meanwhile: the engine works in slices.
  await page.waitForFunction(() => /\d/.test(document.querySelector('#inside-race .note').textContent));
  await open(page, 'qkv');
  await pick(page, 'encoderHead', 3);
  await page.waitForSelector('#inside-race .inside-plot', { timeout: 300_000 });
  const head = await page.locator('#inside-race thead th').allInnerTexts();
  assert.ok(head.includes('10') && head.includes('2000'), head.join());
  const path = await page.locator('#inside-race tbody tr').filter({ hasText: 'Longest path' }).allInnerTexts();
  assert.match(path[0], /1999$/);
  assert.match(path[1], /\b1$/);
});

test('works by keyboard and in three languages', async ({ page, origin }) => {
  await ready(page, origin);
  await page.locator('#inside-tab-pieces').focus();
  await page.keyboard.press('End');
  await page.waitForSelector('.inside-stage[data-stage=loop]');
  await page.keyboard.press('Home');
  for (let i = 0; i < 8; i++) await page.keyboard.press('ArrowDown');
  await page.waitForSelector('.inside-stage[data-stage=softmax]');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'inside-tab-softmax');
  const formula = () => page.locator('.inside-formula').innerHTML();
  const before = await formula();
  await valueAt(page, 0, 3, 0);
  await page.waitForFunction((former) => document.querySelector('.inside-formula').innerHTML !== former, before);
  const announced = await matrix(page).locator('.unseen').textContent();
  assert.match(announced, / = /);
  for (const [language, title] of [['de', 'Im Inneren'], ['zh', '走进模型'], ['en', 'Step inside']]) {
    await page.selectOption('#interface-language', language);
    assert.equal(await page.locator('#inside-title').innerText(), title);
    const shown = await page.locator('#inside').innerText();
    assert.ok(!shown.includes('undefined') && !shown.includes('NaN'), language);
  }
});

test('looks right at every width and in both themes, and axe finds nothing', async ({ page, origin, results }) => {
  const axe = await readFile(new URL('../../web/node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');
  await ready(page, origin);
  await page.evaluate(axe);
  await page.locator('#inside-pair').scrollIntoViewIfNeeded();
  await page.waitForSelector('#inside-pair[data-state=done]');
  await page.locator('#inside-similarity').scrollIntoViewIfNeeded();
  await page.waitForSelector('#inside-similarity[data-state=done]');
  await open(page, 'self');
  await flip(page, 'causal', false);
  for (const [width, shown] of [[1440, ['self', 'norm', 'probabilities']], [1024, ['qkv']], [390, ['softmax', 'loop']]]) {
    await page.setViewportSize({ width, height: 900 });
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme });
      for (const stage of shown) {
        await open(page, stage);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth);
        assert.equal(wide, width, `${stage} at ${width}: the page scrolls sideways`);
        await page.locator('#inside').screenshot({ path: `${results}/inside-${stage}-${width}-${colorScheme}.png` });
        const found = await page.evaluate(() => globalThis.axe.run('#inside', { resultTypes: ['violations'] }));
        const violations = found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(' | ')}`);
        assert.deepEqual(violations, [], `${stage} at ${width}, ${colorScheme}`);
      }
    }
  }
});
