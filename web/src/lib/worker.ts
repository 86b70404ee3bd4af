// The module worker: owns the engine and answers the protocol.

import createTranslucent from 'translucent-engine';
import type { Engine } from './engine';
import type { Request, Response } from './protocol';
import { messagePause } from './queue';
import { Session } from './session';

const scope = self as unknown as DedicatedWorkerGlobalScope;

// Started at once: compiling overlaps with reading the list of models and downloading one.
const engine: Promise<Engine> = createTranslucent();
engine.catch(() => {}); // reported to whoever loads a model

const session = new Session({
  post: (message: Response, transfer: Transferable[] = []) => scope.postMessage(message, transfer),
  engine: () => engine,
  pause: messagePause(),
});

scope.onmessage = (event: MessageEvent<Request>) => session.handle(event.data);
