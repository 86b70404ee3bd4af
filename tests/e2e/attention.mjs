// "Look inside: attention" of the built page: every control, compared with the native command line.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { attention } from './native.mjs';
import { done, explained, long, paragraph, ready, sentences, type } from './page.mjs';

export const tests = [];
const test = (name, run, options = {}) => tests.push({ name: `attention: ${name}`, run, options });

const axe = await readFile(createRequire(new URL('../../web/package.json', import.meta.url)).resolve('axe-core/axe.min.js'), 'utf8');
const views = ['words', 'matrix', 'heads', 'steps', 'causes'];
const clean = (piece) => (piece === '</s>' ? 'end' : piece.replace(/^▁/, '') || '▁');
const sum = (values) => values.reduce((a, b) => a + b, 0);

/** Clicked in the page: a segment's input lies under its text, and the head of the page may lie over both. */
const choose = (page, name, value) => page.locator(`#controls input[name=${name}][value="${value}"]`).evaluate((input) => input.click());

/** What the page says about the cell that is pointed at or focused. */
async function readout(page) {
  const data = page.locator('#readout data');
  return {
    whole: (await page.locator('#readout').innerText()).replace(/\s+/g, ' ').trim(),
    shown: await data.innerText(),
    value: Number(await data.getAttribute('value')),
  };
}

async function hover(page, row, column) {
  const size = await page.locator('#heatmap').evaluate((box) => ({
    rows: Number(box.getAttribute('aria-rowcount')),
    columns: Number(box.getAttribute('aria-colcount')),
  }));
  const cells = page.locator('.cells');
  await cells.evaluate((canvas) => canvas.scrollIntoView({ block: 'center', behavior: 'instant' }));
  const box = await cells.boundingBox();
  await page.mouse.move(0, 0); // from elsewhere, also where the pointer is there already
  await page.mouse.move(
    box.x + ((column + 0.45) * box.width) / size.columns,
    box.y + ((row + 0.45) * box.height) / size.rows,
  );
  return readout(page);
}

/** Every weight of the matrix, read cell by cell with the arrow keys. */
async function readAll(page) {
  await page.locator('.cursor').focus();
  // In the page: a key at a time from here would take minutes.
  return page.evaluate(() => {
    const cursor = document.querySelector('.cursor');
    const press = (key, ctrlKey = false) => cursor.dispatchEvent(new KeyboardEvent('keydown', { key, ctrlKey, bubbles: true, cancelable: true }));
    const grid = cursor.closest('[role=grid]');
    const [rows, columns] = [Number(grid.ariaRowCount), Number(grid.ariaColCount)];
    press('Home', true);
    return Array.from({ length: rows }, () => {
      press('Home');
      const weights = Array.from({ length: columns }, () => {
        const weight = Number(document.querySelector('#readout data').value);
        press('ArrowRight');
        return weight;
      });
      press('ArrowDown');
      return weights;
    });
  });
}

const mean = (heads, row, column) =>
  heads.reduce((sum, head) => sum + head[row][column], 0) / heads.length;

const open = (page, view) => page.click(`#tab-${view}`);
const list = (locator) => locator.evaluateAll((nodes) => nodes.map((node) => node.textContent));

/** The page with this sentence explained, in this view. */
async function show(page, origin, text, view) {
  await ready(page, origin);
  await type(page, text);
  await explained(page, text);
  await open(page, view);
}

/** The numbers a word shows of what it is linked with: "dog looks at 狗 0.8312, 猫 0.0900". */
async function linksOf(page, index) {
  await page.locator(`#panel-words .word[data-index="${index}"]`).hover();
  const told = await page.locator('#readout').innerText();
  const [, rest] = told.split(/ looks at | is looked at by /);
  assert.ok(rest, told);
  return rest.split(', ').map((item) => {
    const at = item.lastIndexOf(' ');
    return [item.slice(0, at), Number(item.slice(at + 1))];
  });
}

/**
 * An activation that lies between two int8 values goes up on one instruction set and down on another, and a
 * weight moves with it by some thousandths. Weights of another head or row differ by tenths.
 */
const kRounding = 0.02;
const kShown = 0.005; // what the readout leaves out is less
const kMost = 5; // that it names

/** What the readout names are the strongest of these native weights, in order. */
function assertLinks(found, names, weights, where) {
  assert.ok(found.length > 0 && found.length <= kMost, where);
  const of = (name) => Math.max(...weights.filter((_, i) => clean(names[i]) === name));
  for (const [i, [name, weight]] of found.entries()) {
    const near = weights.some((native, j) => clean(names[j]) === name && Math.abs(native - weight) < kRounding);
    assert.ok(near, `${where}, ${name}: ${weight}, native ${of(name)}`);
    assert.ok(i === 0 || weight <= found[i - 1][1], `${where}: ${name} is out of order`);
  }
  const least = found.length === kMost ? found.at(-1)[1] : kShown;
  for (const [j, native] of weights.entries()) {
    const named = found.some(([name]) => name === clean(names[j]));
    assert.ok(named || native < least + kRounding, `${where}: ${names[j]}, native ${native}, is not named`);
  }
}

test('words linked show the native weights of all three stacks', async ({ page, origin, model }) => {
  const native = await attention(model.folder, sentences[2]);
  const source = native.source.tokens;
  const target = native.target.tokens;
  await show(page, origin, sentences[2], 'words');
  await choose(page, 'unit', 'pieces');
  await choose(page, 'layer', 0);
  await choose(page, 'head', 2);
  assert.deepEqual(await list(page.locator('#panel-words .word-text')), [...source, ...target].map(clean));
  const cross = native.attention.cross[0][2];
  for (const row of [0, 2]) assertLinks(await linksOf(page, source.length + row), source, cross[row], `row ${row}`);
  assertLinks(await linksOf(page, 1), target, cross.map((row) => row[1]), 'column 1');

  await choose(page, 'stack', 'encoder');
  await choose(page, 'layer', 1);
  await choose(page, 'head', 4);
  assertLinks(await linksOf(page, 3), source, native.attention.encoder[1][4][3], 'encoder');

  await choose(page, 'stack', 'decoder');
  await choose(page, 'layer', 0);
  await choose(page, 'head', 1);
  const keys = ['start', ...target.slice(0, -1)];
  // The line begins with the start symbol: token 2 is its fourth word.
  assertLinks(await linksOf(page, 3), keys, native.attention.decoder[0][1][2], 'decoder');
});

test('a word is its pieces joined: keys summed, queries averaged', async ({ page, origin }) => {
  await show(page, origin, sentences[2], 'matrix');
  await choose(page, 'stack', 'encoder');
  await choose(page, 'layer', 0);
  await choose(page, 'head', 0);
  const names = () => list(page.locator('#heatmap .rows .label-text'));
  const words = await names();
  const joined = await readAll(page);
  assert.match(await page.locator('#attention').innerText(), /A word is its pieces joined/);
  await choose(page, 'unit', 'pieces');
  const pieces = (await names()).map((name) => name.replace(/^▁/, ''));
  const single = await readAll(page);
  assert.ok(words.length < pieces.length, `${words} and ${pieces}`);
  // Which pieces spell which word.
  const groups = [];
  let at = 0;
  for (const word of words) {
    const begin = at;
    let written = '';
    while (at < pieces.length && written !== word) written += pieces[at++];
    assert.equal(written, word);
    groups.push([begin, at]);
  }
  for (const [i, [top, bottom]] of groups.entries()) {
    for (const [j, [left, right]] of groups.entries()) {
      const rows = single.slice(top, bottom).map((row) => sum(row.slice(left, right)));
      assert.ok(Math.abs(joined[i][j] - sum(rows) / rows.length) < 1e-5, `${words[i]}, ${words[j]}`);
    }
  }
});

test('the head picked is named, another can be chosen, and the way back', async ({ page, origin }) => {
  await show(page, origin, sentences[2], 'words');
  const picked = page.locator('.picked');
  const [, layer, head] = /^Layer (\d), head (\d) was picked/.exec(await picked.innerText());
  const checked = (name) => page.locator(`input[name=${name}]:checked`).getAttribute('value');
  assert.deepEqual([await checked('layer'), await checked('head')], [String(layer - 1), String(head - 1)]);
  await picked.locator('summary').click();
  assert.match(await picked.innerText(), /Spearman/);
  await choose(page, 'head', 'mean');
  assert.match(await picked.innerText(), /mean of heads: sharpness [\d.]+ × order [\d.]+/);
  await choose(page, 'layer', 'all');
  assert.equal(await checked('head'), 'mean');
  await choose(page, 'head', 0); // belongs to one layer
  assert.notEqual(await checked('layer'), 'all');
  await picked.getByRole('button').click();
  assert.deepEqual([await checked('layer'), await checked('head')], [String(layer - 1), String(head - 1)]);
});

test('words linked by keyboard and by click', async ({ page, origin }) => {
  await show(page, origin, sentences[0], 'words');
  const word = (index) => page.locator(`#panel-words .word[data-index="${index}"]`);
  await page.locator('#panel-words .word[tabindex="0"]').focus();
  await page.keyboard.press('ArrowRight');
  const told = await page.locator('#announcer').textContent();
  assert.match(told, / is looked at by /);
  assert.ok(told.startsWith(await word(1).locator('.word-text').innerText()));
  await page.keyboard.press('ArrowDown'); // to the word linked most
  assert.match(await page.locator('#announcer').textContent(), / looks at /);
  assert.ok(Number(await page.evaluate(() => document.activeElement.dataset.index)) > 1);
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute('aria-pressed')), 'true');
  await page.keyboard.press('Escape');
  assert.equal(await page.locator('#panel-words .word[aria-pressed=true]').count(), 0);
  await word(0).click();
  await page.mouse.move(0, 0);
  assert.match(await page.locator('#readout').innerText(), / is looked at by /); // stays, as clicked
});

test('matrix: the native weights, as hovered', async ({ page, origin, model }) => {
  const native = await attention(model.folder, sentences[0]);
  await ready(page, origin);
  await type(page, sentences[0]);
  await explained(page, sentences[0]);
  await open(page, 'matrix');
  await choose(page, 'unit', 'pieces');
  assert.equal(await page.locator('#explained-target').innerText(), native.target.text);

  for (const stack of ['cross', 'encoder', 'decoder']) {
    await choose(page, 'stack', stack);
    const layers = native.attention[stack];
    for (const [layer, head] of [
      [0, 0],
      [layers.length - 1, layers[0].length - 1],
      [layers.length - 1, 'mean'],
    ]) {
      await choose(page, 'layer', layer);
      await choose(page, 'head', head);
      for (const [row, column] of [
        [1, 0],
        [2, 1],
      ]) {
        const { whole, shown, value } = await hover(page, row, column);
        const expected =
          head === 'mean' ? mean(layers[layer], row, column) : layers[layer][head][row][column];
        const where = `${stack} layer ${layer} head ${head} [${row}][${column}]`;
        assert.ok(Math.abs(value - expected) < kRounding, `${where}: ${value}, native ${expected}`);
        assert.ok(Math.abs(Number(shown) - value) <= 5.1e-5, `${where}: ${value} shown as ${shown}`);
        const keys = stack === 'decoder' ? ['start', ...native.target.tokens] : native.source.tokens;
        const queries = stack === 'encoder' ? native.source.tokens : native.target.tokens;
        assert.equal(whole, `${clean(keys[column])} → ${clean(queries[row])} ${shown}`);
      }
    }
  }
});

test('matrix: rows sum to 1 and masked places are exactly 0', async ({ page, origin }) => {
  await ready(page, origin);
  await explained(page, sentences[0]);
  await open(page, 'matrix');
  for (const unit of ['words', 'pieces']) {
    await choose(page, 'unit', unit);
    for (const stack of ['encoder', 'decoder', 'cross']) {
      await choose(page, 'stack', stack);
      for (const head of stack === 'decoder' ? [0, 'mean'] : [0]) {
        await choose(page, 'head', head);
        const matrix = await readAll(page);
        assert.ok(matrix.length > 1 && matrix[0].length > 1);
        for (const [i, row] of matrix.entries()) {
          const sum = row.reduce((a, b) => a + b, 0);
          assert.ok(Math.abs(sum - 1) < 1e-4, `${stack}, head ${head}, row ${i} sums to ${sum}`);
          for (const [j, weight] of row.entries()) {
            // By words a row may also see the first pieces of its own word.
            const last = unit === 'words' ? i + 1 : i;
            if (stack === 'decoder' && j > last) assert.equal(weight, 0, `row ${i}, column ${j}`);
            else assert.ok(weight >= 0 && weight <= 1 + 1e-6);
          }
        }
      }
    }
  }
});

test('matrix: rows scaled, the end hidden, a threshold', async ({ page, origin }) => {
  await show(page, origin, sentences[0], 'matrix');
  await choose(page, 'unit', 'pieces');
  const names = (side) => list(page.locator(`#heatmap .${side} .label-text`));
  assert.ok((await names('columns')).includes('end'));
  await page.getByLabel('Hide the end of sentence').check();
  assert.ok(!(await names('columns')).includes('end') && !(await names('rows')).includes('end'));
  const asTheyAre = await readAll(page);
  assert.ok(asTheyAre.every((row) => sum(row) < 1));
  await choose(page, 'scale', 'sum');
  for (const [i, row] of (await readAll(page)).entries()) {
    assert.ok(Math.abs(sum(row) - 1) < 1e-5);
    for (const [j, weight] of row.entries()) assert.ok(Math.abs(weight - asTheyAre[i][j] / sum(asTheyAre[i])) < 1e-5);
  }
  await choose(page, 'scale', 'largest');
  for (const row of await readAll(page)) assert.equal(Math.max(...row), 1);
  await choose(page, 'scale', 'weights');
  const colours = () =>
    page.locator('canvas.cells').evaluate((canvas) => {
      const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d', { willReadFrequently: true });
      copy.drawImage(canvas, 0, 0);
      const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
      const found = new Set();
      for (let i = 0; i < data.length; i += 4) found.add(data.slice(i, i + 4).join());
      return found.size;
    });
  const before = await colours();
  await page.getByLabel('Threshold').fill('0.5');
  assert.ok((await colours()) < before, 'the threshold takes colours away');
  assert.deepEqual(await readAll(page), asTheyAre, 'and no numbers');
  assert.match(await page.locator('.threshold-value').innerText(), /0\.50/);
});

test('matrix: row and column of the cell are marked', async ({ page, origin }) => {
  await show(page, origin, sentences[0], 'matrix');
  await hover(page, 1, 2);
  const marked = await page.evaluate(() => {
    const cells = document.querySelector('.cells').getBoundingClientRect();
    const [row, column] = [...document.querySelectorAll('.band')].map((band) => band.getBoundingClientRect());
    const at = (side) => [...document.querySelector(`#heatmap .${side}`).children].findIndex((label) => label.classList.contains('lit'));
    return {
      labels: [at('rows'), at('columns')],
      wide: row.width / cells.width,
      high: column.height / cells.height,
      opacity: getComputedStyle(document.querySelector('.band')).opacity,
    };
  });
  assert.deepEqual(marked.labels, [1, 2]);
  assert.ok(marked.wide > 0.95 && marked.high > 0.95 && Number(marked.opacity) > 0);
});

test('all heads: a picture of each, named by what it does, opens', async ({ page, origin, model }) => {
  const native = await attention(model.folder, sentences[2]);
  await show(page, origin, sentences[2], 'heads');
  for (const stack of ['encoder', 'decoder', 'cross']) {
    await choose(page, 'stack', stack);
    const [layers, heads] = [native.attention[stack].length, native.attention[stack][0].length];
    assert.equal(await page.locator('.thumbnail').count(), layers * (heads + 3));
    const named = page.locator('.thumbnail[data-role]');
    assert.equal(await named.count(), layers * heads);
    const counts = (await list(page.locator('.chip b'))).map(Number);
    assert.equal(sum(counts), layers * heads);
    // One pixel a weight: the pictures are of the heads they name.
    const differing = await page.locator('.thumbnail-picture').evaluateAll((all) => new Set(all.map((one) => one.toDataURL())).size);
    assert.ok(differing > layers * heads * 0.9, `${differing} pictures`);
  }
  const chip = page.locator('.chip').first();
  await chip.click();
  assert.equal(await chip.getAttribute('aria-pressed'), 'true');
  const role = await chip.getAttribute('data-role');
  assert.equal(await page.locator('.thumbnail:not(.faded)').count(), await page.locator(`.thumbnail[data-role=${role}]`).count());
  await chip.click();
  assert.equal(await page.locator('.faded').count(), 0);
  await page.getByText('How the heads are named').click();
  assert.match(await page.locator('.rules').innerText(), /at least 40 %[\s\S]*Abnar & Zuidema 2020/);
  const second = page.locator('.thumbnail[data-layer="1"][data-head="5"]');
  await second.hover();
  assert.match(await page.locator('#readout').innerText(), /^Layer 2, Head 6, /);
  await second.click();
  assert.match(await page.locator('#heatmap').getAttribute('aria-label'), /^Cross attention, layer 2, head 6$/);
  assert.equal(await page.locator('#tab-matrix').getAttribute('aria-selected'), 'true');
  await open(page, 'heads');
  await page.locator('.thumbnail[data-layer="1"][data-head="rollout"]').click();
  for (const row of await readAll(page)) assert.ok(Math.abs(sum(row) - 1) < 1e-4);
});

test('steps: probabilities, candidates, play and scrub', async ({ page, origin, model }) => {
  const native = await attention(model.folder, sentences[2]);
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await show(page, origin, sentences[2], 'steps');
  assert.deepEqual(
    (await list(page.locator('.step-token'))).map((text) => text.replace('▁', '')),
    native.target.tokens.map(clean),
  );
  const step = () => page.locator('.step[aria-pressed=true]').getAttribute('data-step');
  assert.equal(await step(), String(native.target.tokens.length - 1));
  // Where motion is not wanted a press is one step.
  await page.getByRole('button', { name: 'Next step' }).click();
  assert.equal(await step(), '0');
  await page.getByRole('button', { name: 'Next step' }).click();
  assert.equal(await step(), '1');
  assert.equal(await page.locator('.step-name').innerText(), `step 2 of ${native.target.tokens.length}`);
  // Words not written yet are not seen, and the links are those of the step.
  const unwritten = () => page.locator('#panel-steps .word.pending').count();
  assert.equal(await unwritten(), native.target.tokens.length - 2);
  assert.match(await page.locator('#readout').innerText(), new RegExp(`^${clean(native.target.tokens[1])} looks at `));
  await page.getByLabel('Step of the decoding').fill('3');
  assert.equal(await step(), '3');
  assert.equal(await unwritten(), native.target.tokens.length - 4);
  for (let i = 0; i < native.target.tokens.length; i++) {
    await page.locator(`.step[data-step="${i}"]`).click();
    const numbers = (await list(page.locator('.candidate-number'))).map(Number);
    assert.equal(numbers.length, 10);
    assert.deepEqual(numbers, numbers.toSorted((a, b) => b - a), 'best first');
    assert.ok(sum(numbers) <= 1.0006, `${sum(numbers)}`);
    const taken = page.locator('.candidate-taken');
    assert.equal((await taken.locator('.candidate-token').innerText()).replace('▁', ''), clean(native.target.tokens[i]));
    const shown = Number(await page.locator(`.step[data-step="${i}"] .step-number`).innerText());
    assert.ok(Math.abs(shown - Number(await taken.locator('.candidate-number').innerText())) < 0.006);
    assert.match(await page.locator('.candidates').innerText(), /entropy [\d.]+ bits/);
  }
  // The other views follow the same step.
  await page.locator('.step[data-step="2"]').click();
  await open(page, 'words');
  assert.ok((await page.locator('#panel-words .word.pending').count()) > 0);
  await page.getByRole('button', { name: 'Show all' }).click();
  assert.equal(await page.locator('#panel-words .word.pending').count(), 0);
});

test('steps play by themselves where motion is welcome', async ({ page, origin }) => {
  await show(page, origin, sentences[0], 'words');
  // Paused in the page, at the second step: from here it might be over by then.
  const steps = await page.evaluate(
    () =>
      new Promise((done) => {
        const name = document.querySelector('.step-name');
        const play = document.querySelector('#attention .play');
        const seen = [play.ariaLabel];
        new MutationObserver(() => {
          if (seen.at(-1) === name.textContent) return;
          seen.push(name.textContent);
          if (!name.textContent.startsWith('step 2')) return;
          seen.push(play.ariaLabel);
          play.click();
          done([...seen, play.ariaLabel]);
        }).observe(name, { childList: true });
        play.click();
      }),
  );
  const all = steps[1].split(' ').at(-1);
  assert.deepEqual(steps, ['Play the decoding, step by step', `step 1 of ${all}`, `step 2 of ${all}`, 'Pause', 'Play the decoding, step by step']);
  assert.ok((await page.locator('#panel-words .word.pending').count()) > 0);
});

test('a candidate chosen is forced and the rest written anew', async ({ page, origin }) => {
  await show(page, origin, sentences[2], 'steps');
  const before = await page.locator('#explained-target').innerText();
  await page.locator('.step[data-step="1"]').click();
  const first = (await list(page.locator('.step-token')))[0];
  const other = page.locator('.candidate:not(.candidate-taken)').first();
  const name = await other.locator('.candidate-token').innerText();
  await other.click();
  await page.waitForFunction((old) => document.querySelector('#explained-target').textContent !== old, before);
  const tokens = await list(page.locator('.step-token'));
  assert.deepEqual(tokens.slice(0, 2), [first, name]);
  assert.equal(await page.locator('.step-forced').count(), 2);
  assert.equal(await page.locator('.step[aria-pressed=true]').getAttribute('data-step'), '1');
  await page.getByRole('button', { name: 'Take back' }).click();
  await page.waitForFunction((old) => document.querySelector('#explained-target').textContent === old, before);
  assert.equal(await page.locator('.step-forced').count(), 0);
});

/** Stands between the page and its worker: tells it of a translation under way, and keeps answers back. */
function stand() {
  const requests = new Map();
  const between = { holding: false, translating: null, kept: null, keeping: false };
  globalThis.between = between;
  globalThis.Worker = class extends Worker {
    #listener = null;
    #late = null;
    set onmessage(listener) {
      this.#listener = listener;
      super.onmessage = (event) => {
        const request = requests.get(event.data.id);
        if (between.holding && request?.type === 'translate') {
          if (event.data.type === 'result') between.translated = event.data;
        } else if (between.keeping && request?.lane === 'explain' && event.data.type === 'result') {
          between.kept = event.data;
        } else listener.call(this, event);
      };
    }
    postMessage(message, ...rest) {
      requests.set(message.id, message);
      super.postMessage(message, ...rest);
      if (between.holding && message.type === 'translate') {
        between.grow = (draft) => this.#answer({ type: 'growth', id: message.id, growth: { text: '', sentences: [], draft, total: 1 } });
        // The whole translation; what was kept back arrives when the page has asked for its explanation.
        between.release = () => {
          between.holding = between.keeping = false;
          this.#late = between.kept;
          this.#answer(between.translated);
        };
      }
      if (this.#late && message.lane === 'explain') {
        const late = this.#late;
        this.#late = null;
        queueMicrotask(() => this.#answer(late));
      }
    }
    #answer(data) {
      this.#listener(new MessageEvent('message', { data }));
    }
  };
}

test('links grow with a translation under way, and what comes too late changes nothing', async ({ page, origin, model }) => {
  const native = await attention(model.folder, sentences[2]);
  const words = native.target.text.split(' ');
  const drafts = [2, 3, 4].map((count) => words.slice(0, count).join(' '));
  await page.addInitScript(stand);
  await ready(page, origin);
  await explained(page, sentences[0]);
  await page.locator('#attention').scrollIntoViewIfNeeded();
  await page.evaluate(() => (globalThis.between.holding = true));
  await page.fill('#source', sentences[2]);
  await page.waitForFunction(() => globalThis.between.translated);
  for (const draft of drafts.slice(0, 2)) {
    // Told again with every frame: the page does not look at each.
    await page.waitForFunction((draft) => {
      globalThis.between.grow(draft);
      return document.querySelector('#explained-target').textContent === draft;
    }, draft);
    assert.equal(await page.locator('#attention').getAttribute('data-state'), 'working');
    assert.equal(await page.locator('#explained-source').innerText(), sentences[2]);
    const linked = await list(page.locator('#panel-words .word-below .word-text'));
    assert.deepEqual(linked.filter((word) => word !== 'end'), draft.split(' '));
    assert.ok((await page.locator('#translation').innerText()).startsWith(draft));
  }
  // The explanation of a third draft is answered, but arrives after the whole translation's was asked for.
  await page.evaluate(() => (globalThis.between.keeping = true));
  await page.waitForFunction((draft) => {
    if (!globalThis.between.kept) globalThis.between.grow(draft);
    return globalThis.between.kept;
  }, drafts[2]);
  await page.evaluate(() => globalThis.between.release());
  await explained(page, sentences[2]);
  assert.equal(await page.locator('#explained-target').innerText(), native.target.text);
  await open(page, 'steps');
  await page.locator('.step[data-step="1"]').click();
  await page.locator('.candidate:not(.candidate-taken)').first().click();
  await page.waitForFunction((own) => document.querySelector('#explained-target').textContent !== own, native.target.text);
  assert.equal(await page.locator('.step-forced').count(), 2);
});

/** Spearman's rank correlation, once more: 1 - 6 Σd² / (n (n² - 1)) where no two values are the same. */
function spearman(a, b) {
  const rank = (values) => values.map((value) => values.filter((other) => other < value).length);
  const [x, y] = [rank(a), rank(b)];
  assert.equal(new Set(a).size, a.length);
  assert.equal(new Set(b).size, b.length);
  const squares = sum(x.map((value, i) => (value - y[i]) ** 2));
  return 1 - (6 * squares) / (a.length * (a.length ** 2 - 1));
}

test('is it an explanation: leaving words out beside attention, with their correlation', async ({ page, origin }) => {
  await show(page, origin, sentences[2], 'causes');
  await page.locator('.cause-word').first().waitFor();
  const { data } = await save(page, 'json');
  const causes = JSON.parse(data);
  assert.ok(causes.sourceWords.length >= 8 && causes.targetWords.length >= 5);
  assert.ok(causes.drops.flat().some((drop) => drop > 0.1), 'some word matters');
  for (const [i, word] of causes.targetWords.entries()) {
    assert.ok(Math.abs(causes.spearman[i] - spearman(causes.attention[i], causes.drops[i])) < 1e-9, word);
    const button = page.locator(`.cause-word[data-row="${i}"]`);
    await button.click();
    const rho = causes.spearman[i].toFixed(2).replace('-', '−');
    assert.equal(await button.locator('.cause-rho').innerText(), rho);
    assert.ok((await page.locator('.rho').innerText()).includes(`ρ = ${rho} over ${causes.sourceWords.length} source words`));
    const drops = (await list(page.locator('.cause-right .cause-value'))).map((text) => Number(text.replace('−', '-')));
    for (const [j, drop] of drops.entries()) assert.ok(Math.abs(drop - causes.drops[i][j]) < 0.0051);
  }
  const rho = await page.locator('.rho').innerText();
  await choose(page, 'head', 'rollout'); // other attention, same drops
  assert.notEqual(await page.locator('.rho').innerText(), rho);
});

/** Chooses a format in the export menu; what was downloaded. */
async function save(page, format) {
  // Chromium may drop a download that follows another closely, as it asks about several without a click of their own.
  let file = null;
  for (let tries = 0; !file && tries < 3; tries++) {
    const download = page.waitForEvent('download', { timeout: 20_000 }).catch(() => null);
    await page.locator('.export summary').click();
    await page.locator('.export[open]').waitFor();
    await page.locator(`.export [data-format=${format}]`).click();
    file = await download;
  }
  assert.ok(file, `no ${format} was downloaded`);
  const path = await file.path();
  return { name: file.suggestedFilename(), path, bytes: await readFile(path), data: await readFile(path, 'utf8') };
}

test('every view exports as SVG, PNG, CSV and JSON', async ({ page, origin }) => {
  await show(page, origin, sentences[0], 'words');
  for (const view of views) {
    await open(page, view);
    if (view === 'causes') await page.locator('.cause-word').first().waitFor();
    const svg = await save(page, 'svg');
    assert.equal(svg.name, `translucent-${view}.svg`);
    const drawn = await page.evaluate((source) => {
      const parsed = new DOMParser().parseFromString(source, 'image/svg+xml');
      const count = (tag) => parsed.querySelectorAll(tag).length;
      return { wrong: count('parsererror'), texts: count('text'), shapes: count('path, rect'), pictures: count('image'), root: parsed.documentElement.tagName };
    }, svg.data);
    assert.equal(drawn.root, 'svg');
    assert.equal(drawn.wrong + drawn.pictures, 0, 'vectors only');
    assert.ok(drawn.texts >= 5 && drawn.shapes >= 8, `${view}: ${JSON.stringify(drawn)}`);

    const png = await save(page, 'png');
    assert.deepEqual([...png.bytes.subarray(0, 8)], [0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10]);
    assert.ok(png.bytes.readUInt32BE(16) > 300 && png.bytes.length > 3000);

    const json = JSON.parse((await save(page, 'json')).data);
    assert.equal(json.view, view);
    assert.equal(json.source, sentences[0]);
    const csv = (await save(page, 'csv')).data;
    assert.ok(csv.startsWith('\ufeff'));
    // Commas outside quotes: an even number of quotes follows.
    const lines = csv.slice(1).split('\r\n').slice(0, -1).map((line) => line.split(/,(?=(?:[^"]*"[^"]*")*[^"]*$)/));
    assert.equal(new Set(lines.map((line) => line.length)).size, 1, `${view}: every line as long`);
    if (view === 'words' || view === 'matrix') {
      assert.deepEqual(lines[0].slice(1), json.keys);
      assert.deepEqual(lines.slice(1).map((line) => line.slice(1).map(Number)), json.weights);
      for (const row of json.weights) assert.ok(Math.abs(sum(row) - 1) < 1e-4);
    } else if (view === 'heads') {
      assert.equal(lines.length - 1, sum(json.heads.map(({ weights }) => weights.flat().length)));
    } else if (view === 'steps') {
      assert.equal(lines.length - 1, sum(json.steps.map(({ candidates }) => candidates.length)));
    } else {
      assert.equal(lines.length - 1, json.drops.flat().length);
    }
  }
});

test('one HTML file opens anywhere, answers, and asks for nothing', async ({ page, origin, browser }) => {
  await show(page, origin, sentences[0], 'words');
  const folder = await mkdtemp(join(tmpdir(), 'export-'));
  const context = await browser.newContext({ offline: true });
  try {
    for (const view of views) {
      await open(page, view);
      if (view === 'causes') await page.locator('.cause-word').first().waitFor();
      const download = page.waitForEvent('download');
      await page.locator('.export summary').click();
      await page.locator('.export [data-format=html]').click();
      const path = join(folder, `${view}.html`);
      await (await download).saveAs(path);
      const alone = await context.newPage();
      const [errors, requests] = [[], []];
      alone.on('pageerror', (error) => errors.push(error.message));
      alone.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
      alone.on('request', (request) => requests.push(request.url()));
      await alone.goto(pathToFileURL(path).href);
      assert.deepEqual(requests, [pathToFileURL(path).href]);
      if (view !== 'heads') {
        const hint = await alone.locator('#readout').innerText();
        await alone.locator('svg text[data-keys]').last().hover();
        assert.notEqual(await alone.locator('#readout').innerText(), hint, view);
        assert.match(await alone.locator('#readout').innerText(), /\d\.\d/, view);
        assert.ok((await alone.locator('svg .lit').count()) > 0);
      }
      const held = JSON.parse(await alone.locator('#data').textContent());
      assert.equal(held.view, view);
      const [saved] = await Promise.all([alone.waitForEvent('download'), alone.locator('#save').click()]);
      assert.deepEqual(JSON.parse(await readFile(await saved.path(), 'utf8')), held);
      assert.deepEqual(errors, []);
      await alone.close();
    }
  } finally {
    await context.close();
    await rm(folder, { recursive: true });
  }
});

test('works by keyboard alone', async ({ page, origin }) => {
  await ready(page, origin);
  await explained(page, sentences[0]);
  const focused = () => page.evaluate(() => document.activeElement.name ?? document.activeElement.className);
  const tabTo = async (name) => {
    for (let i = 0; i < 30; i++) {
      if ((await focused()).split(' ')[0] === name) return;
      await page.keyboard.press('Tab');
    }
    assert.fail(`Tab does not reach ${name}`);
  };
  for (let i = 0; i < 30 && (await page.evaluate(() => document.activeElement.id)) !== 'tab-words'; i++) await page.keyboard.press('Tab');
  await page.keyboard.press('ArrowRight');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'tab-matrix');
  await tabTo('stack');
  await page.keyboard.press('ArrowLeft');
  assert.match(await page.locator('#heatmap').getAttribute('aria-label'), /^Decoder attention, layer \d+, mean of heads$/);
  await tabTo('head');
  await page.keyboard.press('ArrowLeft');
  assert.match(await page.locator('#heatmap').getAttribute('aria-label'), /head 8$/);
  await tabTo('cursor');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowRight');
  const { whole, shown } = await readout(page);
  const announced = await page.locator('#announcer').textContent();
  assert.equal(announced, whole);
  assert.match(announced, / → .+ [\d.e-]+$/);
  assert.ok(announced.endsWith(shown));
  assert.equal(await page.locator('.cursor').getAttribute('aria-label'), announced);
  await page.keyboard.press('Control+Home');
  await page.keyboard.press('End');
  assert.match(await page.locator('#announcer').textContent(), / masked$/);
});

test('in three languages', async ({ page, origin }) => {
  await show(page, origin, sentences[0], 'words');
  const written = async () => [
    ...(await list(page.locator('#attention [role=tab]'))),
    ...(await list(page.locator('#controls legend'))),
    await page.locator('#attention-title').innerText(),
    await page.locator('.picked').innerText(),
    await page.locator('#readout').innerText(),
  ];
  const english = await written();
  for (const language of ['de', 'zh']) {
    await page.selectOption('#interface-language', language);
    const other = await written();
    assert.equal(other.length, english.length);
    for (const [i, text] of other.entries()) {
      if (!['Matrix'].includes(text)) assert.notEqual(text, english[i]);
    }
  }
});

for (const scheme of ['light', 'dark']) {
  test(`every view fits 1440, 1024 and 390 pixels, and axe finds nothing (${scheme})`, async ({ page, origin, results }) => {
    await page.emulateMedia({ colorScheme: scheme });
    await show(page, origin, sentences[2], 'words');
    await page.evaluate(axe);
    for (const width of [1440, 1024, 390]) {
      await page.setViewportSize({ width, height: 900 });
      for (const view of views) {
        await open(page, view);
        if (view === 'causes') await page.locator('.cause-word').first().waitFor();
        assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), width, view);
        await page.locator('#attention').screenshot({ path: `${results}/attention-${view}-${width}-${scheme}.png` });
        if (width === 1024) continue; // between the two layouts that are checked
        const found = await page.evaluate(() =>
          globalThis.axe.run('#attention', { resultTypes: ['violations'] }).then(({ violations }) =>
            violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).slice(0, 3)}`),
          ),
        );
        assert.deepEqual(found, [], `${view}, ${width} pixels`);
      }
    }
  });
}

test('dark and light both draw, and change over while the page is open', async ({ page, origin, results }) => {
  await ready(page, origin);
  await explained(page, sentences[0]);
  await open(page, 'matrix');
  await choose(page, 'stack', 'decoder'); // its mask makes rows differ, however the model attends
  const looks = {};
  for (const scheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme: scheme });
    await hover(page, 0, 0);
    await page.screenshot({ path: `${results}/page-${scheme}.png`, fullPage: true });
    looks[scheme] = await page.evaluate(() => {
      const canvas = document.querySelector('.cells');
      const copy = new OffscreenCanvas(canvas.width, canvas.height);
      const context = copy.getContext('2d', { willReadFrequently: true });
      context.drawImage(canvas, 0, 0);
      const colours = new Set();
      const { data } = context.getImageData(0, 0, copy.width, copy.height);
      for (let i = 0; i < data.length; i += 4) colours.add(data.slice(i, i + 4).join());
      const { backgroundColor, color } = getComputedStyle(document.body);
      return { backgroundColor, color, colours: [...colours].sort() };
    });
    assert.ok(looks[scheme].colours.length > 4, 'the heatmap has colours');
  }
  assert.notDeepEqual(looks.light.colours, looks.dark.colours);
  assert.notEqual(looks.light.backgroundColor, looks.dark.backgroundColor);
  assert.notEqual(looks.light.color, looks.dark.color);
});

test('a long sentence draws every head', async ({ page, origin }) => {
  await ready(page, origin);
  await type(page, long);
  await page.waitForSelector('#attention[data-state=done]');
  await open(page, 'matrix');
  await choose(page, 'stack', 'encoder');
  const { tokens, pictures } = await page.evaluate(() => {
    const canvas = document.querySelector('canvas.cells');
    const heads = [...document.querySelectorAll('input[name=head]')];
    const pictures = heads.map((head) => {
      head.click();
      return canvas.toDataURL();
    });
    return { tokens: Number(canvas.closest('[aria-rowcount]').ariaRowCount), pictures };
  });
  assert.ok(tokens >= 30, `${tokens} tokens`);
  assert.equal(new Set(pictures).size, pictures.length, 'two heads look the same');
});
