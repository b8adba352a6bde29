import type { H5WasmModule } from './h5-wasm.js';

/**
 * Keeps the module's memory from growing beyond `most` bytes until `release` is called, so that HDF5 fails where it
 * would take more: a deflated chunk can hold a thousand times its bytes, and no check of ours sees every structure that
 * HDF5 reads. The module exports its memory to nobody, so `WebAssembly.Memory.prototype.grow`, which it calls, is
 * replaced until then; only synchronous work may happen in between. Memory that the module has already stays with it.
 * Emscripten writes some lines to the console when it is refused memory.
 */
export function boundMemory(module: H5WasmModule, most: number) {
  const { prototype } = WebAssembly.Memory;
  const { grow } = prototype;
  let refused = 0;
  prototype.grow = function (this: WebAssembly.Memory, pages: number) {
    const wanted = this.buffer.byteLength + pages * 65_536;
    if (this.buffer !== module.HEAPU8.buffer || wanted <= most) return grow.call(this, pages);
    refused = wanted;
    throw new RangeError(`HDF5 may take ${most} bytes`);
  };
  return {
    /** The bytes that the module wanted in vain, 0 if it got what it wanted. */
    refused: () => refused,
    release() {
      prototype.grow = grow;
    },
  };
}
