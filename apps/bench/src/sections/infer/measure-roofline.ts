import { intReprArrayOf, LINEAR_PARTS, splitPartName } from '@prune/core';
import { createEngine } from '@prune/kernels';
import { openStore } from '@prune/model-files/node';
import type { InferRow, RooflineRow } from './infer-report.js';
import { OURS, OURS_INT16, withKernels } from './side-names.js';
import { wasmPeak } from './wasm-peak.js';

/** Sides with kernels of WebAssembly by name. */
const RELAXED = [withKernels(OURS, 'wasm-relaxed'), withKernels(OURS_INT16, 'wasm-relaxed')];
const PLAIN = [withKernels(OURS, 'wasm-simd')];

/**
 * What ours reaches in the cells of one sequence and one thread, against the measured peak of the kernels that it used.
 * That of native kernels is not measured. `chosen`: the kernels that are chosen by default.
 */
export async function measureRoofline(
  packed: string,
  rows: readonly InferRow[],
  chosen: string | undefined,
): Promise<RooflineRow[]> {
  const relaxed = await relaxedKernel();
  const kernelOf = (side: string) => {
    if (PLAIN.includes(side) || (isDefault(side) && chosen === 'wasm-simd')) return 'wasm-simd';
    return RELAXED.includes(side) || (isDefault(side) && chosen === 'wasm-relaxed') ? relaxed : undefined;
  };
  const peaks = { 'wasm-simd': await wasmPeak('wasm-simd'), [relaxed]: await wasmPeak(relaxed) };
  const { nonzeros, elements } = await countElements(packed);
  return rows
    .filter(({ side, threads, batch }) => threads === 1 && batch === 1 && (isDefault(side) || kernelOf(side)))
    .map(({ model, side, tokens, seconds }) => {
      const kernel = kernelOf(side);
      return {
        model,
        side,
        tokens,
        multiplyAddsPerSecond: (nonzeros * tokens) / seconds.median,
        ...(kernel && { kernel, peakPerSecond: peaks[kernel] }),
        denseEquivalentPerSecond: (elements * tokens) / seconds.median,
      };
    });
}

function isDefault(side: string): boolean {
  return side === OURS || side === OURS_INT16;
}

/** The instructions that `wasm-relaxed` uses here. */
async function relaxedKernel(): Promise<'wasm-dot4' | 'wasm-relaxed'> {
  const engine = await createEngine();
  await engine.close();
  return engine.dot4 ? 'wasm-dot4' : 'wasm-relaxed';
}

/** Nonzeros and elements of all matrices that every token passes through: all but the pooler, which the question answering head leaves out. */
async function countElements(packed: string): Promise<{ nonzeros: number; elements: number }> {
  const store = await openStore(packed);
  try {
    let [nonzeros, elements] = [0, 0];
    for (const name of store.keys()) {
      if (name.includes('.pooler.')) continue;
      if (intReprArrayOf(name) === 'data') nonzeros += store.info(name)!.shape[0];
      if (splitPartName(name)?.part !== LINEAR_PARTS.shape) continue;
      const shape = await store.get(name);
      if (typeof shape === 'object') elements += Number(shape.data[0]) * Number(shape.data[1]);
    }
    return { nonzeros, elements };
  } finally {
    await store.close();
  }
}
