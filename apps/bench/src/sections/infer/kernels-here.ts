import { createEngine, type Kernels } from '@prune/kernels';
import { hasWideKernels, nodeEngine } from '@prune/kernels/node';
import { OTHER_KERNELS, type OtherKernels } from './side.js';

/** Which kernels of ours this machine has. */
export interface KernelsHere {
  /** Chosen by default: native ones where they are built. */
  readonly chosen: Kernels;
  /** Those that can be compared with them, in the order of {@link OTHER_KERNELS}. */
  readonly others: readonly OtherKernels[];
}

/** Tries the kernels of this machine. */
export async function kernelsHere(): Promise<KernelsHere> {
  const chosen = (await works('auto'))!;
  const others: OtherKernels[] = [];
  for (const kernels of OTHER_KERNELS) {
    // To try the wide ones would turn V8's pass on in this process.
    const found = kernels === 'wasm-wide' ? hasWideKernels() : (await works(kernels)) === kernels;
    if (found && kernels !== chosen) others.push(kernels);
  }
  return { chosen, others };
}

/** The kernels that an engine gets that asks for some; `undefined` where this machine does not have them. */
async function works(kernels: 'auto' | Kernels): Promise<Kernels | undefined> {
  try {
    const engine = await createEngine(nodeEngine({ kernels }));
    await engine.close();
    return engine.kernels;
  } catch {
    return undefined;
  }
}
