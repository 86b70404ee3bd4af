// The page's side of the service worker: registers it, reloads once where it brings isolation, tells
// when everything is here, and offers a new version when there is one.

export interface OfflineEvents {
  /** The page will open without a network. */
  onReady: () => void;
  /** A new version waits; `replace` starts it. */
  onUpdate: (replace: () => void) => void;
  /** The page is about to load once more: what was typed is to be kept. */
  onReload: () => void;
}

const kReloaded = 'translucent.reloaded';

export async function mountOffline(events: OfflineEvents): Promise<void> {
  // Only in secure contexts; and some modes and settings of browsers have none.
  const workers = globalThis.navigator.serviceWorker as ServiceWorkerContainer | undefined;
  if (!workers || import.meta.env.DEV) return;
  let reloading = false;
  const reload = () => {
    if (reloading) return;
    reloading = true;
    events.onReload();
    location.reload();
  };
  /** Once at most: a browser that does not isolate the page even so would load it forever. */
  const isolate = () => {
    if (globalThis.crossOriginIsolated !== false || !workers.controller) return;
    try {
      if (sessionStorage.getItem(kReloaded) !== null) return;
      sessionStorage.setItem(kReloaded, '');
    } catch {
      return; // without a memory there is no telling whether this is the second time
    }
    reload();
  };
  if (globalThis.crossOriginIsolated) forget();

  try {
    const registration = await workers.register('./service-worker.js');
    if (!registration) return;
    isolate();
    workers.addEventListener('controllerchange', isolate);
    const offer = () => {
      const { waiting } = registration;
      if (!waiting || !workers.controller) return;
      events.onUpdate(() => {
        workers.addEventListener('controllerchange', reload);
        waiting.postMessage({ type: 'replace' });
      });
    };
    offer();
    registration.addEventListener('updatefound', () => {
      registration.installing?.addEventListener('statechange', offer);
    });
    await workers.ready;
    events.onReady();
  } catch {
    // The page works without; it is neither isolated by it nor there without a network.
  }
}

function forget(): void {
  try {
    sessionStorage.removeItem(kReloaded);
  } catch {
    // Storage denied: nothing was remembered.
  }
}
