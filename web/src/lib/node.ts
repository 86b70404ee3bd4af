// The package in Node: the same, with a worker thread for the engine and files where a browser has the
// network. Models beside the package, or wherever configure() says, as a path or an address.

import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { Port } from './client';
import { fetchFile } from './node-files';
import type { Request, Response } from './protocol';
import { workers } from './shared';
import { network } from './translator';

network.fetch = fetchFile;
network.base = () => pathToFileURL(`${process.cwd()}/`).href;

workers.connect = (): Port => {
  const worker = new Worker(new URL('./node-worker.js', import.meta.url));
  // Keeps the process alive only while something is asked of it.
  let asked = 0;
  worker.unref();
  const port: Port = {
    onmessage: null,
    onerror: null,
    postMessage: (message: Request) => {
      if (message.type !== 'cancel' && ++asked === 1) worker.ref();
      worker.postMessage(message);
    },
    terminate: () => void worker.terminate(),
  };
  worker.on('message', (data: Response) => {
    if ((data.type === 'result' || data.type === 'error') && --asked === 0) worker.unref();
    port.onmessage?.({ data } as MessageEvent<Response>);
  });
  worker.on('error', (error) => port.onerror?.({ message: error.message } as ErrorEvent));
  return port;
};

export * from './index';
