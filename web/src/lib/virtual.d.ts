declare module 'virtual:engine-files' {
  /** Where a build of the WebAssembly module lies. The package has engine-files.ts in its place. */
  export default function engineFiles(variant: import('./variants').Variant): import('./engine-files').EngineFiles;
}
