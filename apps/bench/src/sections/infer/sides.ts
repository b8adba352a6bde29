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

/** The same with attention in integers. */
export const OURS_INT16 = 'prune, int16 attention';

/** Other kernels of ours, which give the same bits. */
export const PLAIN_SIMD = `${OURS}, plain SIMD`;
export const WIDE = `${OURS}, wide`;
export const WIDE_INT16 = `${OURS_INT16}, wide`;

/** Which kernels are compared with those that are chosen by default, as far as this Node has them. */
export interface OtherKernels {
  readonly plain: boolean;
  readonly wide: boolean;
}

/** Everything that is compared, by name. */
export function sidesOf(
  { packed, fp32, int8, peers }: InferFiles,
  threads: number,
  { plain, wide }: OtherKernels = { plain: false, wide: false },
): Map<string, SideSpec> {
  const prune = { runtime: 'prune', file: packed, threads, kernels: 'auto' } as const;
  const sides = new Map<string, SideSpec>([
    [OURS, { ...prune, attention: 'float32' }],
    [OURS_INT16, { ...prune, attention: 'int16' }],
  ]);
  if (plain) sides.set(PLAIN_SIMD, { ...prune, kernels: 'wasm-simd', attention: 'float32' });
  if (wide) {
    sides.set(WIDE, { ...prune, kernels: 'wide', attention: 'float32' });
    sides.set(WIDE_INT16, { ...prune, kernels: 'wide', attention: 'int16' });
  }
  if (peers === undefined) return sides;
  for (const runtime of ['onnxruntime-node', 'onnxruntime-web'] as const) {
    if (int8) sides.set(`${runtime}, int8`, { runtime, precision: 'int8', file: int8, threads, peers });
    if (fp32) sides.set(`${runtime}, fp32`, { runtime, precision: 'fp32', file: fp32, threads, peers });
  }
  return sides;
}
