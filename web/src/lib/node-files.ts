// fetch() for Node, which has none for files.

import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

export const fetchFile: typeof fetch = async (input, init) => {
  const url = new URL(typeof input === 'string' || input instanceof URL ? input : input.url);
  if (url.protocol !== 'file:') return fetch(input, init);
  init?.signal?.throwIfAborted();
  url.search = ''; // the version is for caches
  try {
    return new Response(new Uint8Array(await readFile(fileURLToPath(url))));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return new Response('', { status: 404 });
  }
};
