import { isPruneError, PruneError } from '@prune/core';
import type { WasmKernels } from '../engine.js';
import { checkModules } from './check-modules.js';
import { EMBEDDED_KERNELS, forMemory } from './embedded-kernels.js';

/** Compiles a build for a memory that is shared between threads or not. */
export type CompileKernels = (build: WasmKernels, shared: boolean) => Promise<WebAssembly.Module>;

/** Gives one of the `.wasm` files of this package; which of its two kinds of memory it imports does not matter. */
export type KernelBytes = (kernels: WasmKernels) => Promise<Uint8Array>;

/** Compiles what this package holds. */
export const compileKernels: CompileKernels = async (build, shared) =>
  WebAssembly.compile(EMBEDDED_KERNELS[build].bytes(shared));

/**
 * Compiles files that the caller has, each asked for once. Throws `io` when the caller does not have one, and
 * `mismatch` for a file of another version.
 */
export function compileFiles(wasm: KernelBytes): CompileKernels {
  const files = new Map<WasmKernels, Promise<Uint8Array>>();
  return async (build, shared) => {
    const file = files.get(build) ?? wasm(build);
    files.set(build, file);
    let bytes: Uint8Array<ArrayBuffer>;
    try {
      bytes = forMemory(await file, shared);
    } catch (cause) {
      if (isPruneError(cause)) throw cause;
      const what = `there are no bytes of ${build}: ${(cause as Error)?.message ?? cause}`;
      throw new PruneError('io', { where: 'kernels', what, wanted: 'what the option `wasm` gives', cause });
    }
    const module = await WebAssembly.compile(bytes);
    checkModules({ [build]: module });
    return module;
  };
}
