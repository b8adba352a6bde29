import { intReprArrayOf, LINEAR_PARTS, splitPartName } from '@prune/core';
import { createEngine } from '@prune/kernels';
import { openStore } from '@prune/model-files/node';
import type { InferRow, RooflineRow } from './infer-report.js';
import { OURS, OURS_INT16, PLAIN_SIMD } from './sides.js';
import { wasmPeak } from './wasm-peak.js';

/** What ours reaches in the cells of one sequence and one thread, against the measured peak of the kernels that it used. */
export async function measureRoofline(packed: string, rows: readonly InferRow[]): Promise<RooflineRow[]> {
  const engine = await createEngine({ kernels: 'auto' });
  await engine.close();
  const relaxed = engine.dot4 ? 'wasm-dot4' : 'wasm-relaxed';
  const auto = engine.kernels === 'wasm-relaxed' ? relaxed : 'wasm-simd';
  const peaks = { auto: await wasmPeak(auto), plain: await wasmPeak('wasm-simd') };
  const { nonzeros, elements } = await countElements(packed);
  return rows
    .filter(({ side, threads, batch }) => [OURS, OURS_INT16, PLAIN_SIMD].includes(side) && threads === 1 && batch === 1)
    .map(({ model, side, tokens, seconds }) => ({
      model,
      side,
      tokens,
      multiplyAddsPerSecond: (nonzeros * tokens) / seconds.median,
      kernel: side === PLAIN_SIMD ? 'wasm-simd' : auto,
      peakPerSecond: (side === PLAIN_SIMD ? peaks.plain : peaks.auto)!,
      denseEquivalentPerSecond: (elements * tokens) / seconds.median,
    }));
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
