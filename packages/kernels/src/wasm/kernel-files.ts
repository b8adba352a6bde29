import type { WasmKernels } from '../engine.js';
import { EMBEDDED_KERNELS } from './embedded-kernels.js';

/** The name of the section of a file that holds the hash of its sources; `checkModules` compares the hash. */
export const SOURCE_SECTION = 'prune.source';

/** The name of a file: `relaxed.wasm` for `wasm-relaxed`, `relaxed-threads.wasm` where the memory is shared. */
export function kernelFileName(build: WasmKernels, shared: boolean): string {
  return `${build.replace('wasm-', '')}${shared ? '-threads' : ''}.wasm`;
}

/**
 * The `.wasm` files that the package exports, by name. The build of the package makes them from the base64 that the
 * repository holds, so that the repository has these bytes once.
 */
export function kernelFiles(): Map<string, Uint8Array> {
  const builds = Object.keys(EMBEDDED_KERNELS) as WasmKernels[];
  return new Map(
    builds.flatMap((build) =>
      [false, true].map((shared) => {
        const { bytes, sourceHash } = EMBEDDED_KERNELS[build];
        return [kernelFileName(build, shared), withSection(bytes(shared), sourceHash)];
      }),
    ),
  );
}

/**
 * Appends a custom section; both texts are ASCII and shorter than 128 bytes in all, so that every length has one byte.
 * Format: https://webassembly.github.io/spec/core/binary/modules.html#custom-section
 */
function withSection(module: Uint8Array, payload: string): Uint8Array {
  const content = new TextEncoder().encode(`${String.fromCharCode(SOURCE_SECTION.length)}${SOURCE_SECTION}${payload}`);
  return Uint8Array.of(...module, 0, content.length, ...content);
}
