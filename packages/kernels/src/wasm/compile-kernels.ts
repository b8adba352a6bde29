import type { Kernels } from '../engine.js';
import { KERNELS_RELAXED } from '../generated/kernels-relaxed.js';
import { KERNELS_SIMD } from '../generated/kernels-simd.js';
import { KERNELS_WIDE } from '../generated/kernels-wide.js';

/** The WebAssembly of each build. */
const BUILDS = { 'wasm-simd': KERNELS_SIMD, 'wasm-relaxed': KERNELS_RELAXED, 'wasm-wide': KERNELS_WIDE };

/** Compiles a build for a memory that is shared between threads or not. */
export async function compileKernels(
  build: Exclude<Kernels, 'reference'>,
  shared: boolean,
): Promise<WebAssembly.Module> {
  const bytes = Uint8Array.from(atob(BUILDS[build]), (character) => character.charCodeAt(0));
  if (!shared) bytes[sharedFlagAt(bytes)] &= ~2;
  return WebAssembly.compile(bytes);
}

const IMPORT_SECTION = 2;
const FUNCTION = 0;
const MEMORY = 2;

/**
 * Where the limits' flags of the import `env.memory` are: bit 1 says shared. One binary serves both, so there is no
 * second one to differ. Format: https://webassembly.github.io/spec/core/binary/modules.html#import-section
 */
function sharedFlagAt(bytes: Uint8Array): number {
  let at = 8;
  const leb = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++];
      value |= (byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  const skip = () => {
    const length = leb();
    at += length;
  };
  while (bytes[at++] !== IMPORT_SECTION) skip();
  leb();
  for (let imports = leb(); imports > 0; imports--) {
    skip();
    skip();
    const kind = bytes[at++];
    if (kind === MEMORY) return at;
    if (kind !== FUNCTION) break;
    leb();
  }
  throw new TypeError('the kernels do not import their memory');
}
