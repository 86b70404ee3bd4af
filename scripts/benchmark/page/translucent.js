// Our module as a page uses it: the client, its worker, its download and checks. Built by ours.mjs.

import { Client } from '../../../web/src/lib/client';

let client;

export async function load({ url, info }) {
  client = new Client();
  await client.load(info, { base: new URL(url, location.href).href });
}

export async function translate(texts, { length }) {
  // Sentences of one text, a line each: the engine keeps what stands between them.
  const options = { beamSize: 1, ...(length && { maxLength: length }) };
  const { text } = await client.translate(texts.join('\n'), options);
  return text.split('\n');
}
