// One of our WebAssembly modules by name, in a worker of its own, without the client: what each variant does.

let worker;

function call(message) {
  return new Promise((done, failed) => {
    worker.onmessage = ({ data }) => (data.error ? failed(new Error(data.error)) : done(data.value));
    worker.onerror = (event) => failed(new Error(event.message || 'the worker did not start'));
    worker.postMessage(message);
  });
}

export async function load({ url, info }) {
  worker = new Worker(new URL('./variant-worker.js', import.meta.url), { type: 'module' });
  const name = new URL(location).searchParams.get('variant');
  await call({ name, url: new URL(url, location.href).href, names: info.files.map((file) => file.name) });
}

export const translate = (texts, { length }) => call({ texts, length });
