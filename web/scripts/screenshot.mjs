#!/usr/bin/env node
// Takes the pictures of the page that the README shows, from a served page.
//
//   node web/scripts/screenshot.mjs [--url http://localhost:8080] [--scheme light] [--output web/screenshots]
//
// Writes translate.png, attention.png and inside.png into that folder.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { launch } from './browser.mjs';

const { values } = parseArgs({
  options: {
    url: { type: 'string', default: 'http://localhost:8080' },
    scheme: { type: 'string', default: 'light' },
    output: { type: 'string', default: fileURLToPath(new URL('../screenshots', import.meta.url)) },
  },
});

const browser = await launch();
try {
  await mkdir(values.output, { recursive: true });
  const width = 1100;
  const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme: values.scheme });
  const translate = async (address, text) => {
    await page.goto(new URL(address, values.url).href);
    await page.waitForSelector('#translator[data-state=done]');
    await page.fill('#source', text);
    await page.waitForSelector('#translator[data-state=done]');
    await page.waitForSelector('#attention[data-state=done]');
    await page.waitForTimeout(500); // words and their origins arrive after the text
  };
  const take = async (name, clip) => {
    const path = join(values.output, `${name}.png`);
    await page.evaluate(() => scrollTo({ top: 0, behavior: 'instant' })); // the head of the page stays there
    await page.screenshot({ path, clip, fullPage: clip !== undefined });
    console.log(path);
  };
  /** Where a part of the page lies, with some air around it. */
  const place = async (selector, most) => {
    const box = await page.locator(selector).evaluate((element) => {
      const { top, height } = element.getBoundingClientRect();
      return { y: top + scrollY, height };
    });
    return { x: 0, y: box.y - 16, width, height: Math.min(box.height + 32, most) };
  };

  await translate('./#en-de', 'A man in a red shirt is climbing a steep rock. Two dogs are running across a green field.');
  await page.setViewportSize({ width, height: 620 });
  await take('translate');

  await page.setViewportSize({ width, height: 900 });
  await translate('./#en-de', 'A man in a red shirt is climbing a steep rock.');
  await take('attention', await place('#attention', 1000));

  await translate('./#zh-en', '狗追猫。');
  await page.locator('.inside-tab').nth(8).click();
  await page.waitForTimeout(1500);
  await take('inside', await place('#inside', 1000));
} finally {
  await browser.close();
}
