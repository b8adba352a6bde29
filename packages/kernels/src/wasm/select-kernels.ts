import { PruneError } from '@prune/core';
import type { Kernels } from '../engine.js';
import { type Probe, probeKernels } from './probe-kernels.js';

/** From the fastest to the one that always works. */
const AUTO: readonly Kernels[] = ['wasm-relaxed', 'wasm-simd', 'reference'];
/** Whether an engine joins vectors cannot be asked: whoever turned it on says so. */
const KERNELS: readonly Kernels[] = ['wasm-wide', ...AUTO];

/** Kernels that work here. */
export interface SelectedKernels extends Probe {
  readonly kernels: Kernels;
}

/** The kernels asked for, or with `auto` the first that works here. Throws `invalid-argument`, `unsupported`. */
export async function selectKernels(wanted: Kernels | 'auto'): Promise<SelectedKernels> {
  if (wanted !== 'auto' && !KERNELS.includes(wanted)) {
    throw new PruneError('invalid-argument', {
      where: 'kernels',
      what: 'unknown kernels',
      got: String(wanted),
      wanted: `auto, ${KERNELS.join(', ')}`,
    });
  }
  for (const kernels of wanted === 'auto' ? AUTO : [wanted]) {
    if (kernels === 'reference') return { kernels, fused: false, dot4: false };
    const probe = await probeKernels(kernels);
    if (probe) return { kernels, ...probe };
  }
  throw new PruneError('unsupported', {
    where: 'kernels',
    what: 'kernels do not work in this JavaScript engine',
    got: wanted,
    wanted: 'auto',
  });
}
