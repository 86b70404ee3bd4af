// The service worker: keeps the page for use without a network, and isolates it on hosts that cannot
// send the headers for that (shared memory, and so the engine's threads, take them). One worker does
// both because a scope has but one. Models are kept by the module itself (src/lib/models.ts).

import { PrecacheController, PrecacheRoute } from 'workbox-precaching';
import { NavigationRoute, registerRoute, setDefaultHandler } from 'workbox-routing';
import { CacheFirst, NetworkFirst, NetworkOnly } from 'workbox-strategies';
import { chooseVariant, detectFeatures } from '../../lib/variants';

/** Every file of the page with a hash of its content; vite.config.ts fills it in. */
declare const kPage: { url: string; revision: string | null }[];
/** The folder with the builds of the engine, as "assets/engine-1a2b3c4d/". */
declare const kEngine: string;

const scope = self as unknown as ServiceWorkerGlobalScope;
const kEngines = 'translucent-engines';
const kIndex = 'translucent-index';

const isolated = {
  handlerWillRespond: async ({ response }: { response: Response }) => {
    if (response.status === 0) return response;
    const headers = new Headers(response.headers);
    headers.set('Cross-Origin-Opener-Policy', 'same-origin');
    headers.set('Cross-Origin-Embedder-Policy', 'require-corp');
    headers.set('Cross-Origin-Resource-Policy', 'same-origin');
    const { status, statusText } = response;
    return new Response(response.body, { status, statusText, headers });
  },
};

const precache = new PrecacheController({ cacheName: 'translucent-page', plugins: [isolated] });
precache.addToCacheList(kPage);

// What a first visit has fetched before this worker was there: the browser's own cache still has it.
async function keepEngine(): Promise<void> {
  const features = await detectFeatures();
  // With this worker the next load is isolated, whatever this one was.
  const { variant } = chooseVariant({ ...features, crossOriginIsolated: true });
  const cache = await caches.open(kEngines);
  await cache.addAll([`${kEngine}${variant}.js`, `${kEngine}${variant}.wasm`]);
  await (await caches.open(kIndex)).add('models/index.json');
}

/** Builds of former versions of the page. */
async function forgetEngines(): Promise<void> {
  const cache = await caches.open(kEngines);
  for (const request of await cache.keys()) {
    if (!request.url.includes(`/${kEngine}`)) await cache.delete(request);
  }
}

scope.addEventListener('install', (event) => {
  event.waitUntil(Promise.all([precache.install(event), keepEngine()]));
});

scope.addEventListener('activate', (event) => {
  event.waitUntil(
    Promise.all([precache.activate(event), forgetEngines()]).then(() => scope.clients.claim()),
  );
});

// A new version waits until the visitor asks for it: a page half old and half new would not work.
scope.addEventListener('message', (event) => {
  if ((event.data as { type?: string } | null)?.type === 'replace') void scope.skipWaiting();
});

registerRoute(new PrecacheRoute(precache));
// The page itself, whatever follows its address; other documents (model cards) come from the network.
registerRoute(
  new NavigationRoute(precache.createHandlerBoundToURL('index.html'), { allowlist: [/\/(index\.html)?(\?.*)?$/] }),
);
registerRoute(({ url }) => url.pathname.includes(`/${kEngine}`), new CacheFirst({ cacheName: kEngines, plugins: [isolated] }));
registerRoute(
  ({ url }) => url.pathname.endsWith('/models/index.json'),
  new NetworkFirst({ cacheName: kIndex, plugins: [isolated] }),
);
setDefaultHandler(new NetworkOnly({ plugins: [isolated] }));
