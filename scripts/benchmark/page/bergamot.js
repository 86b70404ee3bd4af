// Bergamot's published module, in its own worker, called as its own translators call it.

import { TranslatorBacking } from '/node_modules/@browsermt/bergamot-translator/translator.js';

const pair = { from: 'xx', to: 'yy' };

class Backing extends TranslatorBacking {
  async loadModelRegistery() {
    return [pair];
  }
}

let worker;

export async function load({ url }) {
  const fetched = Promise.all(['model.bin', 'vocab.spm'].map((name) => read(`${url}bergamot/${name}`)));
  const backing = new Backing({ cacheSize: 0 });
  worker = (await backing.loadWorker()).exports;
  const [model, vocabulary] = await fetched;
  // The worker's own defaults are greedy search in int8 with the model's activation multipliers (int8shiftAlphaAll).
  const buffers = { model, shortlist: new ArrayBuffer(0), vocabs: [vocabulary], config: {} };
  await worker.loadTranslationModel(pair, buffers);
}

export async function translate(texts) {
  const answers = await worker.translate({
    models: [pair],
    texts: texts.map((text) => ({ text, html: false, qualityScores: false })),
  });
  return answers.map((answer) => answer.target.text);
}

async function read(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
  return answer.arrayBuffer();
}
