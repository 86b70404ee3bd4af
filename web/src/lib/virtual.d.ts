declare module 'virtual:engine-folder' {
  /** Where the builds of the WebAssembly module lie: an absolute address that ends with a slash. */
  const folder: string;
  export default folder;
}
