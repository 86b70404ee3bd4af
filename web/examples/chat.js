// Messages appear as they arrive, each followed by its translation from whatever language it is in.

import { LanguageDetector, Translator } from '../node_modules/translucent/lib/index.js';

const detector = await LanguageDetector.create();
const translators = new Map();
const messages = document.querySelector('#messages');

/** One translator for each language, made when the first message in it arrives. */
function translatorFor(sourceLanguage) {
  if (!translators.has(sourceLanguage)) {
    translators.set(sourceLanguage, Translator.create({ sourceLanguage, targetLanguage: 'en' }));
  }
  return translators.get(sourceLanguage);
}

async function show(text) {
  const [{ detectedLanguage }] = await detector.detect(text);
  const item = document.createElement('li');
  const original = document.createElement('p');
  original.lang = detectedLanguage;
  original.textContent = text;
  const translation = document.createElement('p');
  item.append(original, translation);
  messages.append(item);
  if (detectedLanguage === 'en' || detectedLanguage === 'und') return;
  const translator = await translatorFor(detectedLanguage);
  const write = (chunk) => translation.append(chunk);
  await translator.translateStreaming(text).pipeTo(new WritableStream({ write }));
}

document.querySelector('form').addEventListener('submit', (event) => {
  event.preventDefault();
  const { message } = event.target.elements;
  show(message.value);
  message.value = '';
});
