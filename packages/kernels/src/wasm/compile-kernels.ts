import type { WasmKernels } from '../engine.js';
import { EMBEDDED_KERNELS } from './embedded-kernels.js';

/** Compiles a build for a memory that is shared between threads or not. */
export async function compileKernels(build: WasmKernels, shared: boolean): Promise<WebAssembly.Module> {
  return WebAssembly.compile(EMBEDDED_KERNELS[build].bytes(shared));
}
