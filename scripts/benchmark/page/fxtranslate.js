// fxtranslate's published module. Its wasm-bindgen glue is written for Node: the same glue is evaluated here with the
// module's bytes in place of the file it reads.

let translator;

export async function load({ url }) {
  const base = '/node_modules/fxtranslate/wasm/';
  const [glue, wasm, model, vocabulary] = await Promise.all([
    read(`${base}fxtranslate_wasm.js`).then((bytes) => new TextDecoder().decode(bytes)),
    read(`${base}fxtranslate_wasm_bg.wasm`),
    read(`${url}bergamot/model.bin`),
    read(`${url}bergamot/vocab.spm`),
  ]);
  const module = { exports: {} };
  const require = (name) =>
    name.endsWith('fs') ? { readFileSync: () => wasm } : name.endsWith('util') ? { TextDecoder, TextEncoder } : {};
  new Function('module', 'exports', 'require', '__dirname', glue)(module, module.exports, require, '.');
  translator = new module.exports.Translator(model, vocabulary, vocabulary);
}

export async function translate(texts) {
  if (texts.length === 1) return [translator.translate(texts[0])];
  // A block is translated together; its last line holds counts.
  return translator.translateBlockPhased(texts.join('\n'), () => {}).split('\n').slice(0, -1);
}

export const about = () => translator.backend();

async function read(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
  return new Uint8Array(await answer.arrayBuffer());
}
