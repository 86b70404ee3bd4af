#!/usr/bin/env node
// Measures frames a second while pointing around in every view of the attention of a long sentence.
//
//   node web/scripts/frames.mjs [--root web/dist] [--tokens 120] [--seconds 3] [--scheme light]
//
// Prints, for each view: frames a second, the slowest frame and the 95th percentile (requestAnimationFrame,
// milliseconds), and what one pointer move costs the main thread, style, layout and paint included.

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
  const busy = async () => {
    const { metrics } = await session.send('Performance.getMetrics');
    return metrics.find(({ name }) => name === 'TaskDuration').value * 1000;
  };
  const stacks = [['words', 'cross'], ['words', 'encoder'], ['matrix', 'cross'], ['heads', 'encoder'], ['steps', null], ['causes', null]];
  for (const [view, stack] of stacks) {
    await page.click(`#tab-${view}`);
    if (stack) await page.check(`input[name=stack][value=${stack}]`, { force: true });
    if (view === 'causes') await page.locator('.cause-word').first().waitFor();
    await page.waitForTimeout(500);
    const figure = page.locator(`#panel-${view}`);
    await figure.scrollIntoViewIfNeeded();
    const box = await figure.boundingBox();
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
      const height = Math.min(box.height, 900 - box.y);
      await page.mouse.move(box.x + box.width * (0.5 + 0.48 * Math.sin(t * 3.1)), box.y + height * (0.5 + 0.46 * Math.sin(t * 1.7)));
    }
    const cost = (await busy()) - before;
    const frames = await page.evaluate(() => {
      globalThis.running = false;
      return globalThis.frames;
    });
    const gaps = frames.slice(1).map((time, i) => time - frames[i]).sort((a, b) => a - b);
    const rate = (1000 * gaps.length) / (frames.at(-1) - frames[0]);
    console.log(
      `${view}${stack ? ` (${stack})` : ''}: ${rate.toFixed(1)} frames/s, slowest ${gaps.at(-1).toFixed(1)} ms, 95 % within ${gaps[Math.floor(gaps.length * 0.95)].toFixed(1)} ms, ${(cost / moves).toFixed(2)} ms of main thread a move (${moves} moves)`,
    );
  }
} finally {
  await browser.close();
  server.close();
  server.closeAllConnections();
}
