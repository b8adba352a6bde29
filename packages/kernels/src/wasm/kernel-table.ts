import type { WasmKernels } from '../engine.js';
import type { StreamForm } from './row-writer.js';

/** How a row kernel reads its weights and codes; assembly/sparse.ts has the proof of each bound. */
export interface RowForm {
  readonly form: StreamForm;
  /** The codes that a tile may hold. */
  readonly codes: readonly [lowest: number, highest: number];
}

/** One kernel: sums the products of a row's int8 weights and a tile's int8 codes in int32. */
export interface RowKernel extends RowForm {
  /** Its export. */
  readonly name: string;
  readonly build: WasmKernels;
  readonly instructions: 'simd128' | 'relaxed-simd';
  /** Tokens that it computes. */
  readonly lanes: 8 | 16 | 32;
}

/**
 * A row kernel's export: addresses of the weight stream, the tile and the output, how many rows, whether sums start anew, what
 * with and how much more for each weight, and row headers.
 */
export type RowKernelFunction = (
  stream: number,
  tile: number,
  out: number,
  rows: number,
  fresh: boolean,
  begin: number,
  shift: number,
  headers: number,
) => number;

const FORMS = [
  { prefix: 'plain', instructions: 'simd128', form: 'mixed', codes: [0, 128] },
  { prefix: 'plainSplit', instructions: 'simd128', form: 'split', codes: [0, 255] },
  { prefix: 'relaxed', instructions: 'relaxed-simd', form: 'mixed', codes: [0, 127] },
  { prefix: 'relaxedSplit', instructions: 'relaxed-simd', form: 'split', codes: [-128, 127] },
  { prefix: 'dot4x', instructions: 'relaxed-simd', form: 'dot4', codes: [0, 255] },
] as const;

/** Every row kernel: what probing, tests and benchmarks go through. The relaxed builds have the plain ones too, for tiles with the code 128. */
export const ROW_KERNELS: readonly RowKernel[] = (['wasm-simd', 'wasm-relaxed', 'wasm-wide'] as const).flatMap(
  (build) =>
    FORMS.filter(({ instructions }) => build !== 'wasm-simd' || instructions === 'simd128').flatMap(
      ({ prefix, ...form }) =>
        ([8, 16, 32] as const).map((lanes) => ({ name: `${prefix}${lanes}`, build, lanes, ...form })),
    ),
);

/** Places of eight tokens in their eight bytes. */
const ORDER = [0, 2, 4, 6, 1, 3, 5, 7];

/** The byte of a tile's column that a token's code is in, as assembly/quantize.ts puts it. */
export function byteOf({ build, form, lanes }: RowKernel, token: number): number {
  if (form === 'dot4') return token;
  if (build === 'wasm-wide' && form === 'mixed' && lanes === 32) return 4 * (token % 8) + [0, 2, 1, 3][token >> 3];
  return (token & ~7) + ORDER[token % 8];
}
