// transformers.js on onnxruntime-web's WebAssembly back end, one thread, q8.

import { env, pipeline } from '/node_modules/@huggingface/transformers/dist/transformers.web.js';

const together = 32; // sentences of like length in one call: it pads a batch to its longest

let translator;

export async function load({ url }) {
  env.allowRemoteModels = false;
  env.allowLocalModels = true;
  env.useBrowserCache = false;
  env.localModelPath = new URL('.', new URL(url, location.href)).pathname;
  env.backends.onnx.wasm.wasmPaths = '/node_modules/onnxruntime-web/dist/';
  env.backends.onnx.wasm.numThreads = 1;
  translator = await pipeline('translation', 'onnx', { device: 'wasm', dtype: 'q8' });
}

export async function translate(texts, { length }) {
  const order = texts.map((_, i) => i).sort((a, b) => texts[a].length - texts[b].length);
  const outputs = new Array(texts.length);
  for (let start = 0; start < order.length; start += together) {
    const chosen = order.slice(start, start + together);
    const options = { num_beams: 1, do_sample: false, ...(length && { max_new_tokens: length }) };
    const answers = await translator(chosen.map((i) => texts[i]), options);
    chosen.forEach((i, at) => (outputs[i] = answers[at].translation_text));
  }
  return outputs;
}
