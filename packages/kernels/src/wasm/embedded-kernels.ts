import type { WasmKernels } from '../engine.js';
import { KERNELS_RELAXED, KERNELS_RELAXED_SOURCE_SHA256 } from '../generated/kernels-relaxed.js';
import { KERNELS_SIMD, KERNELS_SIMD_SOURCE_SHA256 } from '../generated/kernels-simd.js';
import { KERNELS_WIDE, KERNELS_WIDE_SOURCE_SHA256 } from '../generated/kernels-wide.js';

/** A build of `assembly`, as this package holds it. */
interface EmbeddedKernels {
  /** Says what the build was made from, its options included. */
  readonly sourceHash: string;
  /** The WebAssembly, for a memory that is shared between threads or for one that is not. */
  bytes(shared: boolean): Uint8Array<ArrayBuffer>;
}

/** Every build. */
export const EMBEDDED_KERNELS: Readonly<Record<WasmKernels, EmbeddedKernels>> = {
  'wasm-simd': embedded(KERNELS_SIMD, KERNELS_SIMD_SOURCE_SHA256),
  'wasm-relaxed': embedded(KERNELS_RELAXED, KERNELS_RELAXED_SOURCE_SHA256),
  'wasm-wide': embedded(KERNELS_WIDE, KERNELS_WIDE_SOURCE_SHA256),
};

function embedded(base64: string, sourceHash: string): EmbeddedKernels {
  return {
    sourceHash,
    bytes(shared) {
      return forMemory(
        Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)),
        shared,
      );
    },
  };
}

/** A copy of a build, for a memory that is shared between threads or for one that is not. */
export function forMemory(build: Uint8Array, shared: boolean): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(build);
  const at = sharedFlagAt(bytes);
  bytes[at] = shared ? bytes[at] | 2 : bytes[at] & ~2;
  return bytes;
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
      // Bytes that a caller gave may be anything.
      if (at >= bytes.length) throw noMemory();
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
  throw noMemory();
}

function noMemory(): TypeError {
  return new TypeError('the kernels do not import their memory');
}
