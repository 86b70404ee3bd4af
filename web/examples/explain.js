import { Translator } from '../node_modules/translucent/lib/index.js';
import { define } from '../node_modules/translucent/lib/elements.js';

define();
const pair = document.querySelector('translucent-translate');
const picture = document.querySelector('translucent-attention');
const translator = await Translator.create({ sourceLanguage: 'zh', targetLanguage: 'en' }); // the pair's own model

pair.addEventListener('translated', async ({ detail }) => {
  picture.explanation = await translator.explain(detail.text);
});
pair.value = '狗追猫。';
