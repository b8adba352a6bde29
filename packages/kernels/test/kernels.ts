import { SKIP_CONDITIONS } from '@prune/fixtures';
import { engineOn } from '../src/create-engine.js';
import type { Engine, Kernels } from '../src/index.js';
import { wideKernels, workerThreads } from '../src/node.js';
import { selectKernels } from '../src/wasm/select-kernels.js';

// The wide kernels are tested as they are meant to run, where this Node can.
wideKernels();

/** Kernels that every Node has. */
export const EVERYWHERE = ['wasm-simd', 'auto'] as const;

/** Kernels of relaxed SIMD, which Node 20 does not have. */
export const RELAXED = ['wasm-relaxed', 'wasm-wide'] as const;

/** Whether this Node cannot run them. */
export const noRelaxedSimd = SKIP_CONDITIONS['no-relaxed-simd']();
/** Whether this processor does not sum four products at once. */
export const noVnni = SKIP_CONDITIONS['no-vnni']();

/**
 * Engines on these kernels as they run here, and as they run on a processor that does not sum four products at once.
 * `divided`: a job is as short as it can be, so that a pass is divided wherever one can be.
 */
export async function enginesOn(
  kernels: Kernels | 'auto',
  threads = 1,
  divided = false,
): Promise<[name: string, Engine][]> {
  const selected = await selectKernels(kernels);
  const engines: [string, Engine][] = [];
  for (const dot4 of selected.dot4 ? [true, false] : [false]) {
    const engine = await engineOn({ ...selected, dot4 }, threads, workerThreads, divided ? { jobMs: 0 } : {});
    engines.push([`${engine.kernels}${dot4 ? ', dot4' : ''} x ${engine.threads}${divided ? ', divided' : ''}`, engine]);
  }
  return engines;
}
