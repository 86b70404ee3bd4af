// models/index.json and the files it lists: read, fetched with progress, checked byte for byte, kept.

import { openStore, type Store } from './cache';
import type { EngineFile } from './engine';
import { TranslucentError } from './protocol';

export interface ModelFileInfo {
  name: string;
  bytes: number;
  /** 64 lower-case hexadecimal digits. */
  sha256: string;
}

export interface ModelInfo {
  id: string;
  source: string;
  target: string;
  name: string;
  licence: string;
  /** Whatever the trainer measured, e.g. {"BLEU": 21.4}. */
  scores: Record<string, unknown>;
  /** The page that describes it, relative to the models folder. */
  card?: string;
  files: ModelFileInfo[];
}

type Fetch = (url: string, init?: RequestInit) => Promise<globalThis.Response>;

export interface DownloadOptions {
  signal?: AbortSignal;
  /** Called with bytes so far, over all files; once with 0 and once with the total. */
  onProgress?: (loaded: number, total: number) => void;
  fetch?: Fetch;
  sha256?: (bytes: Uint8Array) => Promise<string>;
  /** Where what was fetched is kept; null: nowhere. */
  store?: Store | null;
  /** Milliseconds without a byte after which a connection is given up. */
  patience?: number;
  /** Waits between two attempts. */
  pause?: (milliseconds: number) => Promise<void>;
}

/** Long enough for a phone that changes cells. */
const kPatience = 30_000;

/** Attempts to go on after a connection that broke, as long as each brings nothing new. */
const kAttempts = 3;

/** Bytes to download. Files of the same content, as a vocabulary both languages share, count once. */
export function totalBytes(model: ModelInfo): number {
  return distinct(model).reduce((sum, file) => sum + file.bytes, 0);
}

function distinct(model: ModelInfo): ModelFileInfo[] {
  return [...new Map(model.files.map((file) => [file.sha256, file])).values()];
}

/**
 * Reads BASE/index.json. `base` is the models folder and ends with a slash. With a store, the last one
 * read answers where the server does not.
 */
export async function loadIndex(
  base: string,
  {
    fetch = globalThis.fetch,
    store = null,
    patience = kPatience,
  }: Pick<DownloadOptions, 'fetch' | 'store' | 'patience'> = {},
): Promise<ModelInfo[]> {
  const url = new URL('index.json', base).href;
  const fail = (message: string): never => {
    throw new TranslucentError({ kind: 'index', url, message: `models/index.json: ${message}` });
  };
  let bytes: Uint8Array | null = null;
  let kept = false;
  try {
    const response = await fetch(url, { cache: 'no-cache', signal: AbortSignal.timeout(patience) });
    if (!response.ok) return fail(`the server answered ${response.status}`);
    bytes = new Uint8Array(await response.arrayBuffer());
  } catch (error) {
    if (error instanceof TranslucentError) throw error;
    bytes = (await store?.get(url)) ?? null;
    kept = true;
  }
  if (!bytes) return fail('no answer from the server');
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return fail('not JSON');
  }
  const models = parseIndex(json, fail);
  if (!kept) await store?.put(url, bytes);
  return models;
}

/** Whether every file of the model is kept already, so that nothing has to be fetched. */
export async function isKept(base: string, model: ModelInfo, store = openStore()): Promise<boolean> {
  if (!store) return false;
  const kept = await Promise.all(distinct(model).map((file) => store.has(addressOf(base, model, file))));
  return kept.every(Boolean);
}

function addressOf(base: string, model: ModelInfo, file: ModelFileInfo): string {
  const where = new URL(`${encodeURIComponent(model.id)}/${encodeURIComponent(file.name)}`, base);
  // A retrained model has the same names: the hash in the address keeps caches from mixing the two.
  where.searchParams.set('v', file.sha256.slice(0, 12));
  return where.href;
}

/** Checks the index field by field; `fail` throws. */
export function parseIndex(json: unknown, fail: (message: string) => never): ModelInfo[] {
  const record = (value: unknown, where: string): Record<string, unknown> =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : fail(`${where} is not an object`);
  const list = (value: unknown, where: string): unknown[] =>
    Array.isArray(value) && value.length > 0 ? value : fail(`${where} is not a list of at least one`);
  const text = (value: unknown, where: string): string =>
    typeof value === 'string' && value !== '' ? value : fail(`${where} is not a text`);

  return list(record(json, 'the whole').models, 'models').map((entry, m) => {
    const at = `models[${m}]`;
    const model = record(entry, at);
    const files = list(model.files, `${at}.files`).map((item, f): ModelFileInfo => {
      const here = `${at}.files[${f}]`;
      const file = record(item, here);
      const name = text(file.name, `${here}.name`);
      // A name is one path segment below the model's folder: an index must not reach elsewhere.
      if (/[/\\]|^\.\.?$/.test(name)) fail(`${here}.name is not a plain file name`);
      const bytes = file.bytes;
      if (typeof bytes !== 'number' || !Number.isSafeInteger(bytes) || bytes < 0) {
        return fail(`${here}.bytes is not a size`);
      }
      const sha256 = text(file.sha256, `${here}.sha256`).toLowerCase();
      if (!/^[0-9a-f]{64}$/.test(sha256)) fail(`${here}.sha256 is not 64 hexadecimal digits`);
      return { name, bytes, sha256 };
    });
    const id = text(model.id, `${at}.id`);
    if (/[/\\]|^\.\.?$/.test(id)) fail(`${at}.id is not a plain folder name`);
    const card = model.card === undefined ? undefined : text(model.card, `${at}.card`);
    if (card !== undefined && !/^\w[\w.-]*(\/\w[\w.-]*)*$/.test(card)) fail(`${at}.card is not a plain path`);
    return {
      id,
      source: text(model.source, `${at}.source`),
      target: text(model.target, `${at}.target`),
      name: text(model.name, `${at}.name`),
      licence: typeof model.licence === 'string' ? model.licence : '',
      scores: model.scores === undefined ? {} : record(model.scores, `${at}.scores`),
      ...(card !== undefined && { card }),
      files,
    };
  });
}

/** Fetches every file of a model at once; the first that fails stops the others. */
export async function downloadModel(
  base: string,
  model: ModelInfo,
  {
    signal,
    onProgress,
    fetch = globalThis.fetch,
    sha256 = sha256Hex,
    store = openStore(),
    patience = kPatience,
    pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
  }: DownloadOptions = {},
): Promise<EngineFile[]> {
  const total = totalBytes(model);
  let loaded = 0;
  onProgress?.(0, total);
  const advance = (bytes: number) => {
    loaded += bytes;
    onProgress?.(loaded, total);
  };
  const stop = new AbortController();
  const abort = () => stop.abort(signal?.reason);
  if (signal?.aborted) abort();
  signal?.addEventListener('abort', abort);
  let first: unknown;
  try {
    const contents = new Map<string, Uint8Array>();
    await Promise.all(
      distinct(model).map(async (file) => {
        try {
          const use = { signal: stop.signal, advance, fetch, sha256, store, patience, pause };
          contents.set(file.sha256, await obtainFile(base, model, file, use));
        } catch (error) {
          first ??= error;
          stop.abort();
          throw error;
        }
      }),
    );
    return model.files.map(({ name, sha256: hash }) => ({ name, bytes: contents.get(hash)! }));
  } catch (error) {
    throw first ?? error;
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}

interface Obtaining extends Required<Omit<DownloadOptions, 'onProgress'>> {
  advance: (bytes: number) => void;
}

/** From the store if it is there and right, from the server otherwise. */
async function obtainFile(
  base: string,
  model: ModelInfo,
  file: ModelFileInfo,
  use: Obtaining,
): Promise<Uint8Array> {
  const url = addressOf(base, model, file);
  const { store } = use;
  const kept = await store?.get(url);
  if (kept && kept.length === file.bytes && (await use.sha256(kept)) === file.sha256) {
    use.signal.throwIfAborted();
    use.advance(kept.length);
    return kept;
  }
  const bytes = await downloadFile(url, model, file, use);
  await store?.put(url, bytes);
  return bytes;
}

async function downloadFile(
  url: string,
  model: ModelInfo,
  file: ModelFileInfo,
  { signal, advance, fetch, sha256, patience, pause }: Obtaining,
): Promise<Uint8Array> {
  const fail = (why: string): never => {
    const message = `${model.id}/${file.name}: ${why}`;
    throw new TranslucentError({ kind: 'download', file: file.name, url, message });
  };
  const bytes = new Uint8Array(file.bytes);
  let at = 0;
  let furthest = 0;
  /** Fills `bytes` from `at` on; returns why it ended early, null when the server was done. */
  const attempt = async (): Promise<string | null> => {
    const stop = new AbortController();
    const abort = () => stop.abort(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort);
    let timer: ReturnType<typeof setTimeout> | undefined;
    let stalled = false;
    const alive = () => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        stalled = true;
        stop.abort();
      }, patience);
    };
    const broken = (otherwise: string): string => {
      signal.throwIfAborted();
      return stalled ? `the server sent nothing for ${Math.round(patience / 1000)} seconds` : otherwise;
    };
    alive();
    try {
      let response;
      try {
        const headers = at > 0 ? { Range: `bytes=${at}-` } : undefined;
        response = await fetch(url, { signal: stop.signal, ...(headers && { headers }) });
      } catch {
        return broken(at > 0 ? brokenAt(at) : 'no answer from the server');
      }
      if (!response.ok) return fail(`the server answered ${response.status}`);
      // A server without ranges sends the whole again.
      if (at > 0 && (response.status !== 206 || !continues(response, at))) at = 0;
      // Some servers answer a missing file with their start page and 200; its size or hash gives it away.
      const reader = response.body?.getReader();
      while (reader) {
        let chunk;
        try {
          chunk = await reader.read();
        } catch {
          return broken(brokenAt(at));
        }
        if (chunk.done) break;
        alive();
        if (at + chunk.value.length > bytes.length) {
          void reader.cancel().catch(() => {});
          return fail(`longer than the ${file.bytes} bytes the index promises`);
        }
        bytes.set(chunk.value, at);
        at += chunk.value.length;
        if (at > furthest) advance(at - furthest);
        furthest = Math.max(furthest, at);
      }
      return null;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
    }
  };
  const brokenAt = (bytesSoFar: number) =>
    `the connection broke after ${bytesSoFar} of ${file.bytes} bytes`;

  for (let tries = 0, before = 0; ; ) {
    const broken = await attempt();
    if (broken === null) break;
    if (furthest > before) tries = 0;
    before = furthest;
    // Where not a byte has arrived there is nothing to resume.
    if (furthest === 0 || ++tries >= kAttempts) return fail(broken);
    await pause(250 * 2 ** tries);
    signal.throwIfAborted();
  }
  if (at < file.bytes) return fail(`${at} bytes arrived, the index promises ${file.bytes}`);
  const hash = await sha256(bytes);
  if (hash !== file.sha256) return fail('the bytes are not those the index promises (sha256 differs)');
  return bytes;
}

/** Whether a partial answer begins where the last one ended. */
function continues(response: globalThis.Response, at: number): boolean {
  // Across origins the header may be hidden; then the hash tells in the end.
  const range = response.headers.get('Content-Range');
  return range === null || range.startsWith(`bytes ${at}-`);
}

export async function sha256Hex(bytes: Uint8Array): Promise<string> {
  // The platform's digest exists in secure contexts only; a page opened from another machine of the
  // local network over plain http has none.
  const subtle = globalThis.crypto?.subtle;
  const hash = subtle
    ? new Uint8Array(await subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>))
    : (await import('./sha256')).sha256(bytes);
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
