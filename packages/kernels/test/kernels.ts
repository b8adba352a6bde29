import type { Kernels } from '../src/index.js';
import { wideKernels } from '../src/node.js';

// The wide kernels are tested as they are meant to run, where this Node can.
wideKernels();

/** Kernels that every Node has. */
export const EVERYWHERE = ['wasm-simd', 'auto'] as const;

/** Kernels that only a Node with relaxed SIMD has, which 20 is not. */
export const WHERE_RELAXED: readonly Kernels[] =
  Number(process.versions.node.split('.')[0]) >= 22 ? ['wasm-relaxed', 'wasm-wide'] : [];
