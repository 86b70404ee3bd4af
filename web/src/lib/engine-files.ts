// Where the builds of the engine lie in the package: beside the worker. Each address is written out, in
// the form that bundlers recognise, so that they take the files along, under whatever names.

import type { Variant } from './variants';

export interface EngineFiles {
  script: string;
  wasm: string;
}

const files: Record<Variant, () => [script: URL, wasm: URL]> = {
  translucent: () => [
    new URL('./engine/translucent.js', import.meta.url),
    new URL('./engine/translucent.wasm', import.meta.url),
  ],
  'translucent-relaxed': () => [
    new URL('./engine/translucent-relaxed.js', import.meta.url),
    new URL('./engine/translucent-relaxed.wasm', import.meta.url),
  ],
  'translucent-threads': () => [
    new URL('./engine/translucent-threads.js', import.meta.url),
    new URL('./engine/translucent-threads.wasm', import.meta.url),
  ],
  'translucent-relaxed-threads': () => [
    new URL('./engine/translucent-relaxed-threads.js', import.meta.url),
    new URL('./engine/translucent-relaxed-threads.wasm', import.meta.url),
  ],
};

export default function engineFiles(variant: Variant): EngineFiles {
  const [script, wasm] = files[variant]();
  return { script: script.href, wasm: wasm.href };
}
