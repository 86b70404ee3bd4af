// Translates a page, block by block, and back: the original nodes are kept, with all that hangs on them.

import { Translator } from '../node_modules/translucent/lib/index.js';

const toggle = document.querySelector('#toggle');
const blocks = [...document.querySelectorAll('main :is(h1, p, li)')];
const original = blocks.map((block) => [...block.childNodes]);
let translated = null;

async function translate() {
  const translator = await Translator.create({ sourceLanguage: 'de', targetLanguage: 'en' });
  const html = await Promise.all(blocks.map((block) => translator.translateHTML(block.innerHTML)));
  translator.destroy();
  return html.map((text) => [...new DOMParser().parseFromString(text, 'text/html').body.childNodes]);
}

toggle.addEventListener('click', async () => {
  const on = toggle.getAttribute('aria-pressed') !== 'true';
  toggle.disabled = true;
  if (on) translated ??= await translate();
  blocks.forEach((block, i) => block.replaceChildren(...(on ? translated : original)[i]));
  document.documentElement.lang = on ? 'en' : 'de';
  toggle.setAttribute('aria-pressed', String(on));
  toggle.disabled = false;
});
