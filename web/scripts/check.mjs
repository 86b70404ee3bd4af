#!/usr/bin/env node
// Opens the served page in headless Chromium and translates one sentence.
//
//   node web/scripts/check.mjs [--url http://localhost:8080] [--text 猫追狗。] [--timeout 60]
//
// Prints sentence, translation and milliseconds, tab-separated; exits 1 when that does not work.

import { parseArgs } from 'node:util';
import { launch } from './browser.mjs';

async function check({ url, text, timeout }) {
  const browser = await launch();
  try {
    const page = await browser.newPage();
    page.setDefaultTimeout(timeout);
    await page.goto(url).catch((error) => {
      throw new Error(`${url}: ${error.message.split('\n')[0]}`);
    });
    // Whichever comes first: an answer or an error on the page.
    const answered = async () => {
      const found = page.locator('#translator[data-state=done], #alert:not([hidden])');
      await found.first().waitFor();
      const alert = page.locator('#alert');
      if (await alert.isVisible()) throw new Error(await alert.locator('p').innerText());
    };
    await answered();
    await page.fill('#source', text);
    await answered();
    const translation = await page.locator('#translation').innerText();
    if (translation.trim() === '') throw new Error('the translation is empty');
    const milliseconds = await page.locator('#translator').getAttribute('data-milliseconds');
    console.log(`${text}\t${translation}\t${Math.round(Number(milliseconds))} ms`);
  } finally {
    await browser.close();
  }
}

try {
  const { values } = parseArgs({
    options: {
      url: { type: 'string', default: 'http://localhost:8080' },
      text: { type: 'string', default: '猫追狗。' },
      timeout: { type: 'string', default: '60' },
    },
  });
  await check({ ...values, timeout: Number(values.timeout) * 1000 });
} catch (error) {
  console.error(`error: ${error.message}`);
  process.exit(1);
}
