import type { Work } from '../infer/side.js';

/** A size of work of BERT-base, and how many times as fast as onnxruntime-node's int8 ours should be, by attention. */
export interface CellGoal extends Work {
  readonly threads: number;
  readonly float32: number;
  readonly int16: number;
}

/** What native kernels should reach at least on a processor with AVX-512 VNNI, at a density of 6 %. */
export const GOALS = {
  cells: [
    { batch: 1, tokens: 128, threads: 1, float32: 4.5, int16: 5 },
    { batch: 1, tokens: 128, threads: 2, float32: 4, int16: 4.5 },
    { batch: 1, tokens: 384, threads: 1, float32: 3.3, int16: 4.3 },
    { batch: 8, tokens: 128, threads: 1, float32: 4.5, int16: 5 },
  ],
  /** The density at which 128 tokens take as long as onnxruntime's int8. */
  density: 0.45,
  /** 128 tokens, one thread, against our `wasm-wide`: by the kernels chosen, and by plain AVX2. */
  wide: { native: 2, avx2: 1.3 },
  /** Every size of work of the small model. */
  small: 1.5,
  /** From BERT-base's file to its first answer, against onnxruntime-node's int8 from its own file. */
  first: 1.1,
} as const satisfies { readonly cells: readonly CellGoal[]; readonly [name: string]: unknown };
