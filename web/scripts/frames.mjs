#!/usr/bin/env node
// Measures frames a second while pointing around in every view of a long sentence: the translation, the
// views of attention, the stages of the walk inside.
//
//   node web/scripts/frames.mjs [--root web/dist] [--tokens 120] [--seconds 3] [--scheme light]
//
// Prints, for each view: frames a second, the slowest frame and the 95th percentile (requestAnimationFrame,
// milliseconds), and what one pointer move costs the main thread: all of it, and of that script, style and
// layout. On a machine with other work to do these are larger than they would be alone.

import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { launch } from './browser.mjs';
import { serve } from './serve.mjs';

const { values } = parseArgs({
  options: {
    root: { type: 'string', default: fileURLToPath(new URL('../dist', import.meta.url)) },
    tokens: { type: 'string', default: '120' },
    seconds: { type: 'string', default: '3' },
    scheme: { type: 'string', default: 'light' },
  },
});

const clause = '如果明天下雨，我们就待在家里看一本昨天从图书馆借来的有意思的书，然后和家里的人一起做晚饭，吃完以后再出去看电影，';
const server = await serve({ root: values.root });
const browser = await launch();
try {
  const page = await browser.newPage({ viewport: { width: 1440, height: 1000 }, colorScheme: values.scheme });
  page.setDefaultTimeout(120_000);
  await page.goto(`http://localhost:${server.address().port}/`);
  const explained = async (text) => {
    await page.fill('#source', text);
    await page.waitForFunction(
      (wanted) =>
        document.querySelector('#attention').dataset.state === 'done' &&
        document.querySelector('#explained-source')?.textContent === wanted,
      text,
    );
  };
  await page.waitForSelector('#translator[data-state=done]');
  // The whole of a sentence of so many tokens: by clauses, then cut to size.
  const tokens = () => page.locator('#panel-matrix').evaluate((panel) => Number(panel.querySelector('[aria-colcount]').ariaColCount));
  let text = clause.repeat(4).slice(0, Number(values.tokens) * 1.55);
  await page.click('#tab-matrix').catch(() => {});
  for (let tries = 0; tries < 4; tries++) {
    await explained(text);
    await page.click('#tab-matrix');
    await page.check('input[name=unit][value=pieces]', { force: true });
    const found = await tokens();
    if (Math.abs(found - values.tokens) <= 2) break;
    text = clause.repeat(6).slice(0, Math.round((text.length * values.tokens) / found));
  }
  const rows = await page.locator('#heatmap').getAttribute('aria-rowcount');
  console.log(`${await tokens()} source tokens, ${rows} target tokens, ${values.scheme}`);

  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable');
  const kCosts = ['TaskDuration', 'ScriptDuration', 'RecalcStyleDuration', 'LayoutDuration'];
  const busy = async () => {
    const { metrics } = await session.send('Performance.getMetrics');
    return kCosts.map((wanted) => metrics.find(({ name }) => name === wanted).value * 1000);
  };
  /** Points around in this part of the page. */
  const measure = async (name, selector) => {
    const part = page.locator(selector).first();
    await part.evaluate((element) => element.scrollIntoView({ block: 'center', behavior: 'instant' }));
    const box = await part.boundingBox();
    const top = Math.max(box.y, 80);
    const height = Math.min(box.y + box.height, 990) - top;
    await page.evaluate(() => {
      globalThis.frames = [];
      globalThis.running = true;
      const frame = (now) => {
        globalThis.frames.push(now);
        if (globalThis.running) requestAnimationFrame(frame);
      };
      requestAnimationFrame(frame);
    });
    const before = await busy();
    const began = performance.now();
    let moves = 0;
    while (performance.now() - began < values.seconds * 1000) {
      const t = moves++ / 40;
      await page.mouse.move(box.x + box.width * (0.5 + 0.48 * Math.sin(t * 3.1)), top + height * (0.5 + 0.46 * Math.sin(t * 1.7)));
    }
    const costs = (await busy()).map((after, i) => ((after - before[i]) / moves).toFixed(2));
    const frames = await page.evaluate(() => {
      globalThis.running = false;
      return globalThis.frames;
    });
    const gaps = frames.slice(1).map((time, i) => time - frames[i]).sort((a, b) => a - b);
    const rate = (1000 * gaps.length) / (frames.at(-1) - frames[0]);
    console.log(
      `${name}: ${rate.toFixed(1)} frames/s, slowest ${gaps.at(-1).toFixed(1)} ms, 95 % within ${gaps[Math.floor(gaps.length * 0.95)].toFixed(1)} ms; a move: ${costs[0]} ms (script ${costs[1]}, style ${costs[2]}, layout ${costs[3]}), ${moves} moves`,
    );
  };
  await page.waitForSelector('#translator[data-words=done]');
  await measure('translation', '#translation');
  await measure('source', '#source');
  const stacks = [
    ['words', 'cross'], ['words', 'encoder'], ['words', 'decoder'], ['matrix', 'cross'], ['matrix', 'encoder'],
    ['heads', 'encoder'], ['steps', null], ['causes', null],
  ];
  for (const [view, stack] of stacks) {
    await page.click(`#tab-${view}`);
    if (stack) await page.check(`input[name=stack][value=${stack}]`, { force: true });
    if (view === 'causes') await page.locator('.cause-word').first().waitFor();
    await measure(`${view}${stack ? ` (${stack})` : ''}`, `#panel-${view}`);
  }
  await page.locator('.inside-walk').scrollIntoViewIfNeeded();
  await page.waitForSelector('.inside-walk[data-state=done]');
  for (const stage of ['embedding', 'qkv', 'scores', 'softmax', 'feedforward', 'layers', 'cross', 'decoded', 'logits']) {
    await page.click(`#inside-tab-${stage}`);
    await page.waitForSelector(`.inside-stage[data-stage=${stage}] .inside-matrix`);
    await measure(`inside, ${stage}`, '.inside-matrix');
  }
} finally {
  await browser.close();
  server.close();
  server.closeAllConnections();
}
