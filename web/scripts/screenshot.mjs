#!/usr/bin/env node
// Takes the picture of the served page that the README shows.
//
//   node web/scripts/screenshot.mjs [--url http://localhost:8080] [--text 狗追猫。] [--scheme light]
//                                   [--stack cross] [--layer N] [--head N|mean] [--output web/public/screenshot.png]
//
// Layers and heads count from 1, as on the page.

import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { launch } from './browser.mjs';

const { values } = parseArgs({
  options: {
    url: { type: 'string', default: 'http://localhost:8080' },
    text: { type: 'string', default: '狗追猫。' },
    scheme: { type: 'string', default: 'light' },
    stack: { type: 'string', default: 'cross' },
    layer: { type: 'string' },
    head: { type: 'string', default: 'mean' },
    output: { type: 'string', default: fileURLToPath(new URL('../public/screenshot.png', import.meta.url)) },
  },
});

const browser = await launch();
try {
  const page = await browser.newPage({
    viewport: { width: 1100, height: 800 },
    colorScheme: values.scheme,
  });
  await page.goto(values.url);
  const done = () => page.waitForSelector('#translator[data-state=done]');
  await done();
  await page.fill('#source', values.text);
  await done();
  await page.waitForSelector('#attention[data-state=done]');
  const choose = (name, value) => page.check(`input[name=${name}][value="${value}"]`, { force: true });
  await choose('stack', values.stack);
  if (values.layer) await choose('layer', values.layer - 1);
  await choose('head', values.head === 'mean' ? 'mean' : values.head - 1);
  // The whole page fits the window, so that pointing at a cell survives the picture.
  const height = await page.evaluate(() => document.documentElement.scrollHeight);
  await page.setViewportSize({ width: 1100, height });
  const { x, y, width, height: depth } = await page.locator('.cells').boundingBox();
  const columns = Number(await page.locator('#heatmap').getAttribute('aria-colcount'));
  const rows = Number(await page.locator('#heatmap').getAttribute('aria-rowcount'));
  await page.mouse.move(x + (1.5 * width) / columns, y + (1.5 * depth) / rows);
  await page.screenshot({ path: values.output });
  console.log(values.output);
} finally {
  await browser.close();
}
