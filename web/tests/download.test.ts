import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { downloadApart, kDownloadWorker, serveDownload } from '../src/lib/download';
import type { ModelInfo } from '../src/lib/models';
import { isAbort, TranslucentError } from '../src/lib/protocol';

const bytes = Uint8Array.from({ length: 5000 }, (_, i) => i % 251);
const sha256 = createHash('sha256').update(bytes).digest('hex');
const model: ModelInfo = {
  id: 'zh-en',
  source: 'zh',
  target: 'en',
  name: 'Chinese to English',
  licence: '',
  scores: {},
  // The same content twice, as a vocabulary both languages share: one buffer.
  files: ['source.spm', 'target.spm'].map((name) => ({ name, bytes: bytes.length, sha256 })),
};
const base = 'https://example.test/models/';

/** Workers that run serveDownload; `broken`: their script cannot be loaded. */
class FakeWorker {
  static made: FakeWorker[] = [];
  static broken = false;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onerror: ((event: { message: string; preventDefault: () => void }) => void) | null = null;
  ended = false;
  constructor(
    readonly url: string,
    readonly options: { name: string },
  ) {
    FakeWorker.made.push(this);
    if (FakeWorker.broken) queueMicrotask(() => this.onerror?.({ message: '', preventDefault: () => {} }));
  }
  postMessage(data: { base: string; model: ModelInfo }): void {
    if (FakeWorker.broken) return;
    void serveDownload(data, (report, transfer) => {
      const sent: unknown = structuredClone(report, { transfer: transfer as ArrayBuffer[] });
      queueMicrotask(() => !this.ended && this.onmessage?.({ data: sent }));
    });
  }
  terminate(): void {
    this.ended = true;
  }
}

let fetched = 0;

beforeEach(() => {
  fetched = 0;
  FakeWorker.made = [];
  FakeWorker.broken = false;
  vi.stubGlobal('Worker', FakeWorker);
  vi.stubGlobal('location', { href: 'https://example.test/worker.js' });
  vi.stubGlobal('fetch', () => {
    fetched++;
    return Promise.resolve(new Response(bytes));
  });
});
afterEach(() => vi.unstubAllGlobals());

describe('downloadApart', () => {
  it('brings the files out of a worker of its own, which then ends', async () => {
    const progress: [number, number][] = [];
    const files = await downloadApart(base, model, { onProgress: (loaded, total) => progress.push([loaded, total]) });
    expect(files.map(({ name }) => name)).toEqual(['source.spm', 'target.spm']);
    for (const file of files) expect(file.bytes).toEqual(bytes);
    expect(files[0]!.bytes.buffer).toBe(files[1]!.bytes.buffer);
    expect(progress[0]).toEqual([0, 5000]);
    expect(progress.at(-1)).toEqual([5000, 5000]);
    expect(FakeWorker.made.map(({ url, options, ended }) => [url, options.name, ended])).toEqual([
      ['https://example.test/worker.js', kDownloadWorker, true],
    ]);
  });

  it('fails with what went wrong there', async () => {
    vi.stubGlobal('fetch', () => Promise.resolve(new Response('', { status: 404 })));
    const error: unknown = await downloadApart(base, model).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(TranslucentError);
    expect((error as TranslucentError).failure).toMatchObject({
      kind: 'download',
      file: 'target.spm', // one stands for both
      message: 'zh-en/target.spm: the server answered 404',
    });
    expect(FakeWorker.made[0]!.ended).toBe(true);
  });

  it('ends the worker when it is cancelled', async () => {
    vi.stubGlobal('fetch', () => new Promise(() => {}));
    const stop = new AbortController();
    const download = downloadApart(base, model, { signal: stop.signal });
    await vi.waitFor(() => expect(FakeWorker.made).toHaveLength(1));
    stop.abort();
    const error: unknown = await download.catch((reason: unknown) => reason);
    expect(isAbort(error)).toBe(true);
    expect(FakeWorker.made[0]!.ended).toBe(true);
  });

  it('downloads in place where the script of the worker cannot be loaded', async () => {
    FakeWorker.broken = true;
    const files = await downloadApart(base, model);
    expect(files[1]!.bytes).toEqual(bytes);
    expect(fetched).toBe(1);
  });

  it('downloads in place where there are no workers within workers', async () => {
    vi.stubGlobal('Worker', undefined);
    const files = await downloadApart(base, model);
    expect(files[0]!.bytes).toEqual(bytes);
    expect(fetched).toBe(1);
  });

  it('starts no worker for what is kept', async () => {
    const kept = { match: () => Promise.resolve(new Response(bytes)) };
    vi.stubGlobal('caches', { open: () => Promise.resolve(kept) });
    const files = await downloadApart(base, model);
    expect(files[0]!.bytes).toEqual(bytes);
    expect(FakeWorker.made).toHaveLength(0);
    expect(fetched).toBe(0);
  });
});
