// The module worker: owns the engine and answers the protocol; or downloads a model for the one that does.

import type createTranslucent from 'translucent-engine';
import type { Engine } from './engine';
import engineFiles from 'virtual:engine-files';
import { downloadApart, kDownloadWorker, serveDownload } from './download';
import type { Request, Response } from './protocol';
import { messagePause } from './queue';
import { Session } from './session';
import { type Choice, detectFeatures, startEngine } from './variants';

const scope = self as unknown as DedicatedWorkerGlobalScope;

/** The builds are no part of the bundle: only the chosen one is fetched, and its threads load it again. */
async function start({ variant, threads }: Choice): Promise<Engine> {
  const { script, wasm } = engineFiles(variant);
  const module = (await import(/* @vite-ignore */ /* webpackIgnore: true */ script)) as {
    default: typeof createTranslucent;
  };
  return (await module.default({ threads, locateFile: () => wasm })) as unknown as Engine;
}

if (scope.name === kDownloadWorker) {
  scope.onmessage = (event: MessageEvent) =>
    void serveDownload(event.data, (report, transfer = []) => scope.postMessage(report, transfer));
} else {
  // Started at once: compiling overlaps with reading the list of models and downloading one.
  const engine = detectFeatures().then((features) => startEngine(features, start));
  engine.catch(() => {}); // reported to whoever loads a model

  const session = new Session({
    post: (message: Response, transfer: Transferable[] = []) => scope.postMessage(message, transfer),
    engine: () => engine,
    pause: messagePause(),
    download: downloadApart,
  });

  scope.onmessage = (event: MessageEvent<Request>) => session.handle(event.data);
}
