// What was downloaded and checked once, kept in Cache Storage under an address that carries its hash.
// Storage that is full, denied or not there is no failure: what cannot be kept is downloaded again.

export interface Store {
  get(url: string): Promise<Uint8Array<ArrayBuffer> | null>;
  /** Keeps it and forgets what was kept at the same address with another query: an older version. */
  put(url: string, bytes: Uint8Array): Promise<void>;
  has(url: string): Promise<boolean>;
  delete(url: string): Promise<void>;
}

const kName = 'translucent';

/** Where it is denied, as in a sandboxed iframe, even looking at it throws. */
function platformStorage(): CacheStorage | undefined {
  try {
    return globalThis.caches;
  } catch {
    return undefined;
  }
}

/** The store of this origin; null where there is none (Node, an insecure page, storage denied). */
export function openStore(storage: CacheStorage | undefined = platformStorage()): Store | null {
  if (!storage) return null;
  const quietly = async <T>(fallback: T, work: (cache: Cache) => Promise<T>): Promise<T> => {
    try {
      return await work(await storage.open(kName));
    } catch {
      return fallback;
    }
  };
  return {
    get: (url) =>
      quietly(null, async (cache) => {
        const kept = await cache.match(url);
        return kept ? new Uint8Array(await kept.arrayBuffer()) : null;
      }),
    has: (url) => quietly(false, async (cache) => (await cache.match(url)) !== undefined),
    delete: (url) =>
      quietly(undefined, async (cache) => {
        await cache.delete(url);
      }),
    put: (url, bytes) =>
      quietly(undefined, async (cache) => {
        const versions = await cache.keys(url, { ignoreSearch: true });
        await cache.put(url, new Response(bytes as Uint8Array<ArrayBuffer>));
        await Promise.all(versions.filter((other) => other.url !== url).map((other) => cache.delete(other)));
      }),
  };
}
