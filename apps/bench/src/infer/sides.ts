import type { SideSpec } from './side.js';

/** The files of one model. */
export interface InferFiles {
  readonly packed: string;
  readonly fp32?: string;
  readonly int8?: string;
  /** Where the peers are installed; left out, ours are measured alone. */
  readonly peers?: string;
}

/** The dense int8 runtime of the machine: what ours is held against. */
export const NATIVE_INT8 = 'onnxruntime-node, int8';

/** Ours, in the mode that computes in float32 between the Linears. */
export const OURS = 'prune, float32 attention';

/** Everything that is compared, by name. `relaxed`: whether this Node's relaxed SIMD can be used. */
export function sidesOf(
  { packed, fp32, int8, peers }: InferFiles,
  threads: number,
  relaxed: boolean,
): Map<string, SideSpec> {
  const prune = { runtime: 'prune', file: packed, threads, kernels: 'auto' } as const;
  const sides = new Map<string, SideSpec>([
    [OURS, { ...prune, attention: 'float32' }],
    ['prune, int16 attention', { ...prune, attention: 'int16' }],
  ]);
  if (relaxed)
    sides.set('prune, float32 attention, plain SIMD', { ...prune, kernels: 'wasm-simd', attention: 'float32' });
  if (peers === undefined) return sides;
  for (const runtime of ['onnxruntime-node', 'onnxruntime-web'] as const) {
    if (int8) sides.set(`${runtime}, int8`, { runtime, precision: 'int8', file: int8, threads, peers });
    if (fp32) sides.set(`${runtime}, fp32`, { runtime, precision: 'fp32', file: fp32, threads, peers });
  }
  return sides;
}
