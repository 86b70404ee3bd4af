import { Translator } from '../node_modules/translucent/lib/index.js';

const translator = await Translator.create({ sourceLanguage: 'de', targetLanguage: 'en' });
const text = document.querySelector('#text').textContent;
document.querySelector('#translation').textContent = await translator.translate(text);
