// A download in a worker of its own, which ends with it: what fetching and keeping leave behind (copies
// that wait for the collector, twice a model's size) goes with the worker.

import type { EngineFile } from './engine';
import { type DownloadOptions, downloadModel, isKept, type ModelInfo } from './models';
import { abortError, type Failure, toError, toFailure } from './protocol';

/** The name of such a worker: the same script as the one that translates. */
export const kDownloadWorker = 'translucent-download';

interface Wish {
  base: string;
  model: ModelInfo;
}

type Report =
  | { type: 'progress'; loaded: number; total: number }
  | { type: 'files'; files: EngineFile[] }
  | { type: 'failure'; failure: Failure };

type Options = Pick<DownloadOptions, 'signal' | 'onProgress'>;

/** The same as downloadModel(), which it is where nothing is to be fetched or no worker can be had. */
export async function downloadApart(base: string, model: ModelInfo, options: Options = {}): Promise<EngineFile[]> {
  const { signal, onProgress } = options;
  const worker = (await isKept(base, model)) ? null : startWorker();
  if (!worker) return downloadModel(base, model, options);
  let abort: (() => void) | undefined;
  try {
    return await new Promise<EngineFile[]>((resolve, reject) => {
      abort = () => reject((signal?.reason as Error | undefined) ?? abortError());
      if (signal?.aborted) abort();
      signal?.addEventListener('abort', abort);
      // Its script could not be loaded: it begins with a report.
      worker.onerror = (event) => {
        event.preventDefault();
        resolve(downloadModel(base, model, options));
      };
      worker.onmessage = ({ data }: MessageEvent<Report>) => {
        worker.onerror = (event) => reject(new Error(event.message));
        if (data.type === 'progress') onProgress?.(data.loaded, data.total);
        else if (data.type === 'files') resolve(data.files);
        else reject(toError(data.failure));
      };
      worker.postMessage({ base, model } satisfies Wish);
    });
  } finally {
    worker.terminate();
    if (abort) signal?.removeEventListener('abort', abort);
  }
}

function startWorker(): Worker | null {
  try {
    return new Worker(globalThis.location.href, { type: 'module', name: kDownloadWorker });
  } catch {
    return null; // no workers within workers, or a policy against them
  }
}

/** What such a worker does with the message it gets. */
export async function serveDownload({ base, model }: Wish, post: (report: Report, transfer?: Transferable[]) => void) {
  try {
    const files = await downloadModel(base, model, {
      onProgress: (loaded, total) => post({ type: 'progress', loaded, total }),
    });
    const buffers = new Set(files.map(({ bytes }) => bytes.buffer as ArrayBuffer));
    post({ type: 'files', files }, [...buffers]);
  } catch (error) {
    post({ type: 'failure', failure: toFailure(error, 'model') });
  }
}
