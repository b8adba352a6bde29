// Types of the `.wasm` files that this package exports. TypeScript has `WebAssembly` only in its DOM library; where
// that is there, the declarations merge.
declare global {
  namespace WebAssembly {
    interface Module {}
  }
}

/** What a bundler or a runtime makes of the file. */
declare const module: WebAssembly.Module;
export default module;
