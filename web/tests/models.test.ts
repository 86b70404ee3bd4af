import { createHash } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import { openStore } from '../src/lib/cache';
import { downloadModel, isKept, loadIndex, type ModelInfo, sha256Hex, totalBytes } from '../src/lib/models';
import { TranslucentError } from '../src/lib/protocol';

const base = 'https://example.test/app/models/';
const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

const contents: Record<string, Uint8Array> = {
  'config.json': new TextEncoder().encode('{"d_model": 256}'),
  'model.safetensors': Uint8Array.from({ length: 10_000 }, (_, i) => i % 251),
};
const model: ModelInfo = {
  id: 'zh-en',
  source: 'zh',
  target: 'en',
  name: 'Chinese to English',
  licence: 'CC BY 2.0 FR',
  scores: { BLEU: 20.1 },
  files: Object.entries(contents).map(([name, bytes]) => ({
    name,
    bytes: bytes.length,
    sha256: hash(bytes),
  })),
};

/** A server: answers by file name, in chunks of 1,000 bytes. */
function server(answers: Record<string, () => Response | Promise<Response>> = {}) {
  const asked: string[] = [];
  const fetch = async (address: string, init?: RequestInit): Promise<Response> => {
    init?.signal?.throwIfAborted();
    const url = new URL(address);
    asked.push(address);
    const name = url.pathname.split('/').at(-1)!;
    const answer = answers[name];
    if (answer) return answer();
    const bytes = contents[name];
    return bytes ? streamed(bytes, init?.signal) : new Response('', { status: 404 });
  };
  return { fetch, asked };
}

function streamed(bytes: Uint8Array, signal?: AbortSignal | null, breakAt = Infinity): Response {
  let at = 0;
  return new Response(
    new ReadableStream({
      pull(controller) {
        if (signal?.aborted) return controller.error(signal.reason);
        if (at >= breakAt) return controller.error(new TypeError('network error'));
        if (at >= bytes.length) return controller.close();
        controller.enqueue(bytes.slice(at, at + 1000));
        at += 1000;
      },
    }),
  );
}

async function failureOf(promise: Promise<unknown>) {
  const error = await promise.then(
    () => expect.unreachable('should have failed'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(TranslucentError);
  return (error as TranslucentError).failure;
}

describe('downloadModel', () => {
  it('brings every byte and counts them', async () => {
    const progress: [number, number][] = [];
    const { fetch, asked } = server();
    const files = await downloadModel(base, model, {
      fetch,
      onProgress: (loaded, total) => progress.push([loaded, total]),
    });
    expect(files.map((file) => file.name)).toEqual(['config.json', 'model.safetensors']);
    expect(files[1]!.bytes).toEqual(contents['model.safetensors']);
    const total = totalBytes(model);
    expect(total).toBe(10_016);
    expect(progress[0]).toEqual([0, total]);
    expect(progress.at(-1)).toEqual([total, total]);
    const loaded = progress.map(([value]) => value);
    expect(loaded).toEqual([...loaded].sort((a, b) => a - b));
    expect(asked[1]).toBe(
      `${base}zh-en/model.safetensors?v=${model.files[1]!.sha256.slice(0, 12)}`,
    );
  });

  it.each([
    ['a missing file', () => new Response('', { status: 404 }), 'the server answered 404'],
    ['a broken server', () => new Response('', { status: 500 }), 'the server answered 500'],
    [
      'too few bytes',
      () => streamed(contents['model.safetensors']!.slice(0, 4321)),
      '4321 bytes arrived, the index promises 10000',
    ],
    [
      'too many bytes',
      () => streamed(new Uint8Array(12_000)),
      'longer than the 10000 bytes the index promises',
    ],
    [
      'other bytes',
      () => streamed(new Uint8Array(10_000)),
      'the bytes are not those the index promises (sha256 differs)',
    ],
    [
      'a connection that breaks',
      () => streamed(contents['model.safetensors']!, null, 3000),
      'the connection broke after 3000 of 10000 bytes',
    ],
    [
      'no connection',
      () => Promise.reject(new TypeError('Failed to fetch')),
      'no answer from the server',
    ],
  ])('%s: one error that names the file', async (_name, answer, why) => {
    const { fetch } = server({ 'model.safetensors': answer });
    const failure = await failureOf(downloadModel(base, model, { fetch, pause: async () => {} }));
    expect(failure).toMatchObject({
      kind: 'download',
      file: 'model.safetensors',
      message: `zh-en/model.safetensors: ${why}`,
    });
  });

  it('fetches a content that two names share once', async () => {
    const [config] = model.files;
    const twins = { ...model, files: [config!, { ...config!, name: 'twin.json' }] };
    const { fetch, asked } = server({ 'twin.json': () => streamed(contents['config.json']!) });
    const files = await downloadModel(base, twins, { fetch });
    expect(asked.length).toBe(1);
    expect(totalBytes(twins)).toBe(config!.bytes);
    expect(files.map((file) => file.name)).toEqual(['config.json', 'twin.json']);
    expect(files[1]!.bytes).toEqual(contents['config.json']);
  });

  it('the first failure stops the other downloads', async () => {
    let other: AbortSignal | null | undefined;
    const fetch = async (address: string, init?: RequestInit) => {
      if (address.includes('config.json')) return new Response('', { status: 404 });
      other = init?.signal;
      return new Promise<Response>((_, reject) => {
        init?.signal?.addEventListener('abort', () => reject(init.signal!.reason as Error));
      });
    };
    const failure = await failureOf(downloadModel(base, model, { fetch }));
    expect(failure).toMatchObject({ file: 'config.json' });
    expect(other?.aborted).toBe(true);
  });

  it('stops when told to, with an AbortError', async () => {
    const stop = new AbortController();
    const { fetch } = server();
    const download = downloadModel(base, model, {
      fetch,
      signal: stop.signal,
      onProgress: (loaded) => {
        if (loaded > 2000) stop.abort();
      },
    });
    await expect(download).rejects.toMatchObject({ name: 'AbortError' });
  });
});

describe('a connection that breaks', () => {
  const bytes = contents['model.safetensors']!;
  /** Breaks after `breakAt` bytes as often as `times` says; answers ranges unless told not to. */
  function breaking(times: number, { ranges = true, breakAt = 3000 } = {}) {
    const asked: (string | null)[] = [];
    const fetch = async (address: string, init?: RequestInit): Promise<Response> => {
      if (!address.includes('model.safetensors')) return new Response(contents['config.json']! as BodyInit);
      const range = new Headers(init?.headers).get('range');
      asked.push(range);
      const from = ranges && range ? Number(/\d+/.exec(range)![0]) : 0;
      const rest = streamed(bytes.slice(from), init?.signal, asked.length <= times ? breakAt : Infinity);
      return from > 0
        ? new Response(rest.body, {
            status: 206,
            headers: { 'Content-Range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` },
          })
        : rest;
    };
    return { fetch, asked };
  }

  it.each([
    ['is taken up where it broke', {}, [null, 'bytes=3000-', 'bytes=6000-']],
    ['begins anew where the server knows no ranges', { ranges: false }, [null, 'bytes=3000-', 'bytes=3000-']],
  ])('%s', async (_name, options, requests) => {
    const { fetch, asked } = breaking(2, options);
    const progress: number[] = [];
    const files = await downloadModel(base, model, {
      fetch,
      pause: async () => {},
      onProgress: (loaded) => progress.push(loaded),
    });
    expect(files[1]!.bytes).toEqual(bytes);
    expect(asked).toEqual(requests);
    expect(progress).toEqual([...progress].sort((a, b) => a - b));
    expect(progress.at(-1)).toBe(totalBytes(model));
  });

  it('is given up when it brings nothing new', async () => {
    const { fetch, asked } = breaking(100, { ranges: false });
    const failure = await failureOf(downloadModel(base, model, { fetch, pause: async () => {} }));
    expect(failure).toMatchObject({ kind: 'download', message: expect.stringContaining('broke after 3000') });
    expect(asked.length).toBe(3);
  });

  it('that stalls is given up', async () => {
    const fetch = async (_address: string, init?: RequestInit) =>
      new Promise<Response>((_, reject) => {
        init!.signal!.addEventListener('abort', () => reject(init!.signal!.reason as Error));
      });
    const failure = await failureOf(downloadModel(base, model, { fetch, patience: 20 }));
    expect(failure).toMatchObject({ kind: 'download', message: expect.stringContaining('sent nothing for') });
  });
});

/** A server that takes a request and never answers. */
const silent: typeof fetch = (_url, init) =>
  new Promise((_, reject) => {
    const { signal } = init!;
    signal!.addEventListener('abort', () => reject(signal!.reason as Error));
  });

/** Cache Storage as far as it is used, in memory. */
function storage(fault?: () => void) {
  const kept = new Map<string, Uint8Array>();
  const path = (url: string) => url.split('?')[0];
  const cache = {
    match: async (url: string) => {
      fault?.();
      const bytes = kept.get(url);
      return bytes && new Response(bytes as BodyInit);
    },
    put: async (url: string, response: Response) => {
      fault?.();
      kept.set(url, new Uint8Array(await response.arrayBuffer()));
    },
    keys: async (url: string) => [...kept.keys()].filter((key) => path(key) === path(url)).map((key) => ({ url: key })),
    delete: async (key: string | { url: string }) => kept.delete(typeof key === 'string' ? key : key.url),
  };
  return { kept, caches: { open: async () => cache } as unknown as CacheStorage };
}

describe('the store', () => {
  it('answers a second time without the server', async () => {
    const { caches } = storage();
    const store = openStore(caches);
    const { fetch, asked } = server();
    expect(await isKept(base, model, store)).toBe(false);
    await downloadModel(base, model, { fetch, store });
    expect(asked.length).toBe(2);
    expect(await isKept(base, model, store)).toBe(true);
    const progress: number[] = [];
    const files = await downloadModel(base, model, { fetch, store, onProgress: (loaded) => progress.push(loaded) });
    expect(asked.length).toBe(2);
    expect(files[1]!.bytes).toEqual(contents['model.safetensors']);
    expect(progress[0]).toBe(0);
    expect(progress.at(-1)).toBe(totalBytes(model));
  });

  it('does not believe what is kept', async () => {
    const { caches, kept } = storage();
    const store = openStore(caches);
    const { fetch } = server();
    await downloadModel(base, model, { fetch, store });
    for (const bytes of kept.values()) bytes[0]! ^= 1;
    const files = await downloadModel(base, model, { fetch, store });
    expect(files[1]!.bytes).toEqual(contents['model.safetensors']);
  });

  it('keeps nothing that is wrong, and only the newest version', async () => {
    const { caches, kept } = storage();
    const store = openStore(caches);
    const wrong = server({ 'model.safetensors': () => streamed(new Uint8Array(10_000)) });
    await failureOf(downloadModel(base, model, { fetch: wrong.fetch, store }));
    expect([...kept.keys()].filter((url) => url.includes('model.safetensors'))).toEqual([]);
    const { fetch } = server();
    await downloadModel(base, model, { fetch, store });
    const [config, weights] = model.files;
    const other = new TextEncoder().encode('{}');
    const newer = { ...model, files: [{ ...config!, bytes: other.length, sha256: hash(other) }, weights!] };
    const updated = server({ 'config.json': () => new Response(other as BodyInit) });
    await downloadModel(base, newer, { fetch: updated.fetch, store });
    expect([...kept.keys()].filter((url) => url.includes('config.json'))).toEqual([
      `${base}zh-en/config.json?v=${hash(other).slice(0, 12)}`,
    ]);
    expect(updated.asked.length).toBe(1);
  });

  it('full or denied, is done without', async () => {
    const { caches } = storage(() => {
      throw new DOMException('full', 'QuotaExceededError');
    });
    const denied = { open: () => Promise.reject(new DOMException('denied', 'SecurityError')) };
    for (const broken of [caches, denied as unknown as CacheStorage]) {
      const { fetch } = server();
      const files = await downloadModel(base, model, { fetch, store: openStore(broken) });
      expect(files[1]!.bytes).toEqual(contents['model.safetensors']);
    }
  });

  it('has the last index when the server does not answer', async () => {
    const store = openStore(storage().caches);
    const { fetch } = server({ 'index.json': () => new Response(JSON.stringify({ models: [model] })) });
    const models = await loadIndex(base, { fetch, store });
    const offline = async () => Promise.reject(new TypeError('Failed to fetch'));
    expect(await loadIndex(base, { fetch: offline, store })).toEqual(models);
    expect(await loadIndex(base, { fetch: silent, store, patience: 1 })).toEqual(models);
  });

  it('is none where even looking at it is denied', () => {
    Object.defineProperty(globalThis, 'caches', {
      configurable: true,
      get: () => {
        throw new DOMException('Cache storage is disabled', 'SecurityError');
      },
    });
    try {
      expect(openStore()).toBeNull();
    } finally {
      Reflect.deleteProperty(globalThis, 'caches'); // Node has none of its own
    }
  });
});

describe('loadIndex', () => {
  const withIndex = (body: unknown, status = 200) =>
    server({
      'index.json': () =>
        new Response(typeof body === 'string' ? body : JSON.stringify(body), { status }),
    });

  it('reads what the trainer writes', async () => {
    const listed = { ...model, card: 'zh-en/model-card.md' };
    const { fetch, asked } = withIndex({ models: [listed] });
    expect(await loadIndex(base, { fetch })).toEqual([listed]);
    expect(asked).toEqual([`${base}index.json`]);
  });

  it('does not wait forever', async () => {
    const failure = await failureOf(loadIndex(base, { fetch: silent, patience: 1 }));
    expect(failure).toMatchObject({ kind: 'index', message: 'models/index.json: no answer from the server' });
  });

  const file = model.files[0]!;
  it.each([
    ['no index', '', 404, 'the server answered 404'],
    ['a start page', '<!doctype html>', 200, 'not JSON'],
    ['another shape', [], 200, 'the whole is not an object'],
    ['no model', { models: [] }, 200, 'models is not a list of at least one'],
    ['no name', { models: [{ ...model, name: '' }] }, 200, 'models[0].name is not a text'],
    [
      'a name that climbs',
      { models: [{ ...model, files: [{ ...file, name: '../../secret' }] }] },
      200,
      'models[0].files[0].name is not a plain file name',
    ],
    [
      'an id that climbs',
      { models: [{ ...model, id: '..' }] },
      200,
      'models[0].id is not a plain folder name',
    ],
    [
      'a card elsewhere',
      { models: [{ ...model, card: 'https://example.test/card' }] },
      200,
      'models[0].card is not a plain path',
    ],
    [
      'a size below zero',
      { models: [{ ...model, files: [file, { ...file, bytes: -1 }] }] },
      200,
      'models[0].files[1].bytes is not a size',
    ],
    [
      'half a hash',
      { models: [{ ...model, files: [{ ...file, sha256: 'abc' }] }] },
      200,
      'models[0].files[0].sha256 is not 64 hexadecimal digits',
    ],
  ])('%s: one error', async (_name, body, status, why) => {
    const failure = await failureOf(loadIndex(base, withIndex(body, status)));
    expect(failure).toMatchObject({ kind: 'index', message: `models/index.json: ${why}` });
  });
});

describe('sha256Hex', () => {
  const abc = new TextEncoder().encode('abc');
  const expected = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';

  it('gives the standard’s example', async () => {
    expect(await sha256Hex(abc)).toBe(expected);
  });

  it('gives the same where the platform has no digest', async () => {
    vi.stubGlobal('crypto', undefined);
    try {
      expect(await sha256Hex(abc)).toBe(expected);
    } finally {
      vi.unstubAllGlobals();
    }
  });
});
