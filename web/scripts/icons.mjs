#!/usr/bin/env node
// Draws public/icons from public/favicon.svg.

import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { launch } from './browser.mjs';

const at = (path) => fileURLToPath(new URL(`../public/${path}`, import.meta.url));
const svg = await readFile(at('favicon.svg'), 'utf8');
// Systems cut maskable icons, and Apple's, to shapes of their own: the ground reaches to the edge, the
// mark stays in the middle.
const whole = svg.replace('rx="7" fill="#121413"', 'fill="#121413"').replace('viewBox="0 0 32 32"', 'viewBox="-3 -3 38 38" style="background:#121413"');

const browser = await launch();
try {
  for (const [name, size, source] of [
    ['192', 192, svg],
    ['512', 512, svg],
    ['maskable', 512, whole],
    ['apple-touch', 180, whole],
  ]) {
    const page = await browser.newPage({ viewport: { width: size, height: size } });
    await page.setContent(`<style>*{margin:0}svg{display:block;width:${size}px;height:${size}px}</style>${source}`);
    await page.screenshot({ path: at(`icons/${name}.png`), omitBackground: true });
    await page.close();
  }
} finally {
  await browser.close();
}
