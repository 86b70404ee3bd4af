// The worker thread in Node: what worker.ts is in a browser.

import { parentPort } from 'node:worker_threads';
import engineFiles from './engine-files';
import type { Engine } from './engine';
import { downloadModel } from './models';
import { fetchFile } from './node-files';
import type { Request, Response } from './protocol';
import { Session } from './session';
import { type Choice, detectFeatures, startEngine } from './variants';

const port = parentPort!;

async function start({ variant, threads }: Choice): Promise<Engine> {
  const { script, wasm } = engineFiles(variant);
  const module = (await import(/* @vite-ignore */ /* webpackIgnore: true */ script)) as {
    default: (options: object) => Promise<Engine>;
  };
  return module.default({ threads, locateFile: () => wasm });
}

const engine = detectFeatures().then((features) => startEngine(features, start));
engine.catch(() => {}); // reported to whoever loads a model

const session = new Session({
  post: (message: Response, transfer: Transferable[] = []) =>
    port.postMessage(message, transfer as unknown as readonly ArrayBuffer[]),
  engine: () => engine,
  pause: () => new Promise((resolve) => setImmediate(resolve)),
  download: (base, model, options) => downloadModel(base, model, { ...options, fetch: fetchFile }),
});

port.on('message', (request: Request) => session.handle(request));
