// The Emscripten module, by the name Vite resolves to build/wasm/translucent.js.
declare module 'translucent-engine' {
  export default function createTranslucent(options?: {
    locateFile?: (path: string, prefix: string) => string;
  }): Promise<unknown>;
}
