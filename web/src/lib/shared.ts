// Loaded models, each in a worker of its own and shared by all who use it: the worker, and with it the
// engine's memory, goes when the last of them lets go. After a crash the next call starts another.

import { Client } from './client';
import type { EngineFile } from './engine';
import type { ModelInfo } from './models';
import type { ModelSource } from './protocol';

export interface ModelUse {
  /** The client, with the model loaded: at once, or after a crash when it is there again. */
  client(): Promise<Client>;
  release(): void;
}

type Report = (fraction: number) => void;

class SharedModel {
  users = 0;
  readonly #source: ModelSource;
  readonly #client: Client;
  readonly #reports = new Set<Report>();
  #loading: Promise<void> | null = null;
  #fraction = 0;

  constructor(source: ModelSource, client: Client) {
    this.#source = source;
    this.#client = client;
    client.onCrash = () => {
      this.#loading = null;
    };
  }

  get loaded(): boolean {
    return this.#fraction === 1;
  }

  /** Resolves when the model answers. `told` hears how much is done of what is still to be downloaded, 0 to 1. */
  async ready(told?: Report): Promise<Client> {
    const loading = (this.#loading ??= this.#load());
    const from = this.#fraction;
    const report = told && ((fraction: number) => told((fraction - from) / (1 - from)));
    if (report) this.#reports.add(report);
    try {
      await loading;
      return this.#client;
    } catch (error) {
      if (this.#loading === loading) this.#loading = null; // the next one may have more luck
      throw error;
    } finally {
      if (report) this.#reports.delete(report);
    }
  }

  async #load(): Promise<void> {
    this.#fraction = 0;
    if ('files' in this.#source) {
      await this.#client.loadFiles(this.#source.files);
    } else {
      const { base, model } = this.#source;
      await this.#client.load(model, {
        base,
        onProgress: (loaded, total) => {
          const fraction = total > 0 ? loaded / total : 1;
          // Retries of a load count from the start again.
          this.#fraction = Math.min(fraction, 0.999);
          for (const report of this.#reports) report(this.#fraction);
        },
      });
    }
    this.#fraction = 1;
  }

  destroy(): void {
    this.#client.destroy();
  }
}

const byAddress = new Map<string, SharedModel>();

/** How workers are started; Node has another way (node.ts). */
export const workers = { connect: undefined as ConstructorParameters<typeof Client>[0] };

function addressOf(base: string, model: ModelInfo): string {
  return JSON.stringify([base, model.id, model.files.map(({ name, sha256 }) => [name, sha256])]);
}

/** Whether somebody has it already, or is just getting it. */
export function stateOf(base: string, model: ModelInfo): 'loaded' | 'loading' | 'none' {
  const shared = byAddress.get(addressOf(base, model));
  return shared ? (shared.loaded ? 'loaded' : 'loading') : 'none';
}

/** Takes part in a model; the caller releases it once, also after a failure. */
export function useModel(source: { base: string; model: ModelInfo } | { files: EngineFile[] }): {
  use: ModelUse;
  ready: (report?: Report) => Promise<Client>;
} {
  const address = 'files' in source ? null : addressOf(source.base, source.model);
  let shared = address === null ? undefined : byAddress.get(address);
  if (!shared) {
    shared = new SharedModel(source, new Client(workers.connect));
    if (address !== null) byAddress.set(address, shared);
  }
  const model = shared;
  model.users++;
  let released = false;
  return {
    ready: (report) => model.ready(report),
    use: {
      client: () => model.ready(),
      release: () => {
        if (released) return;
        released = true;
        if (--model.users > 0) return;
        if (address !== null && byAddress.get(address) === model) byAddress.delete(address);
        model.destroy();
      },
    },
  };
}
