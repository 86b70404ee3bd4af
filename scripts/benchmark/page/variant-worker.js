// The worker of variant.js. A module with threads gets two.

const threads = 2;

let translator;
let options;

async function load({ name, url, names }) {
  const { default: create } = await import(`/wasm/${name}.js`);
  const threaded = name.includes('threads');
  const [module, ...files] = await Promise.all([
    create(threaded ? { threads } : {}),
    ...names.map(async (file) => {
      const answer = await fetch(`${url}translucent/${file}`);
      if (!answer.ok) throw new Error(`${file}: ${answer.status}`);
      return { name: file, bytes: new Uint8Array(await answer.arrayBuffer()) };
    }),
  ]);
  options = { beamSize: 1, ...(threaded && { threads }) };
  translator = new module.Translator(files);
}

function translate({ texts, length }) {
  const candidates = translator.translate(texts, { ...options, ...(length && { maxLength: length }) });
  return candidates.map(([best]) => best.text);
}

self.onmessage = async ({ data }) => {
  try {
    self.postMessage({ value: data.texts ? translate(data) : await load(data) });
  } catch (error) {
    self.postMessage({ error: String(error?.message ?? error) });
  }
};
