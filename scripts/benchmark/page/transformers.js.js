// transformers.js on onnxruntime-web's WebAssembly back end, one thread, q8.

import { StoppingCriteria, env, pipeline } from '/node_modules/@huggingface/transformers/dist/transformers.web.js';

const together = 32; // sentences of like length in one call: it pads a batch to its longest

let translator;

/**
 * Stops a batch once each of its sentences has ended. By itself transformers.js stops where all end in the same step, which
 * they rarely do: it goes on to the longest length allowed, a batch of 32 takes eight times as long, and words follow the end.
 */
class EachEnded extends StoppingCriteria {
  #end;
  #ended = [];

  constructor(end) {
    super();
    this.#end = end;
  }

  _call(sentences) {
    return sentences.map((ids, i) => (this.#ended[i] ||= Number(ids.at(-1)) === this.#end));
  }
}

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
  const { tokenizer, model } = translator;
  const end = model.generation_config.eos_token_id;
  const order = texts.map((_, i) => i).sort((a, b) => texts[a].length - texts[b].length);
  const outputs = new Array(texts.length);
  for (let start = 0; start < order.length; start += together) {
    const chosen = order.slice(start, start + together);
    const inputs = tokenizer(chosen.map((i) => texts[i]), { padding: true, truncation: true });
    const sentences = await model.generate({
      ...inputs,
      num_beams: 1,
      do_sample: false,
      stopping_criteria: [new EachEnded(end)],
      ...(length && { max_new_tokens: length }),
    });
    for (const [at, ids] of sentences.tolist().entries()) {
      const words = ids.slice(1).map(Number); // after the start symbol
      const stop = words.indexOf(end);
      outputs[chosen[at]] = tokenizer.decode(stop < 0 ? words : words.slice(0, stop), { skip_special_tokens: true });
    }
  }
  return outputs;
}
