import type { CsrMatrix, QuantizedLinear } from '@prune/core';
import type { AnyLinear, EncoderLayer } from '../src/index.js';

/** A small generator (mulberry32): the same numbers everywhere. */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** About normal, float32. */
export function normals(next: () => number, length: number, deviation = 1): Float32Array {
  return Float32Array.from({ length }, () => deviation * 2 * (next() + next() + next() - 1.5));
}

/** What kind of Linears a random encoder has. */
export interface RandomLinearOptions {
  readonly density: number;
  readonly kind?: 'int8' | 'float';
  readonly channels?: boolean;
  readonly bias?: boolean;
  /** Whether most weights are at the end of their range. */
  readonly large?: boolean;
}

/** An int8 CSR matrix with whole ranges of values, the ends -128 and 127 among them. */
export function randomCsr(
  next: () => number,
  rows: number,
  columns: number,
  density: number,
  large = false,
): CsrMatrix {
  const indptr = new Int32Array(rows + 1);
  const indices: number[] = [];
  const data: number[] = [];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      if (next() >= density) continue;
      const spread = large || next() < 0.1 ? 3 : 1;
      const value = Math.max(-128, Math.min(127, Math.round(80 * (next() + next() - (large ? 0.2 : 1)) * spread)));
      if (value === 0) continue;
      indices.push(column);
      data.push(value);
    }
    indptr[row + 1] = indices.length;
  }
  return { shape: [rows, columns], indptr, indices: Uint16Array.from(indices), data: Int8Array.from(data) };
}

function randomLinear(
  next: () => number,
  rows: number,
  columns: number,
  { density, kind = 'int8', channels = false, bias = true, large = false }: RandomLinearOptions,
): AnyLinear {
  const biases = bias ? normals(next, rows, 0.2) : null;
  if (kind === 'float') {
    const weight = normals(next, rows * columns, 1 / Math.sqrt(columns * density)).map((w) =>
      next() < density ? w : 0,
    );
    return { kind: 'float', weight, shape: [rows, columns], bias: biases };
  }
  const scale = () => Math.fround((0.02 * (0.5 + next())) / Math.sqrt(Math.max(columns, 1) * Math.max(density, 0.01)));
  return {
    kind: 'linear',
    weight: randomCsr(next, rows, columns, density, large),
    qscheme: channels ? 'per_channel_affine' : 'per_tensor_affine',
    scales: Float64Array.from({ length: channels ? rows : 1 }, scale),
    bias: biases === null ? null : { dtype: 'float32', shape: [rows], data: biases as Float32Array<ArrayBuffer> },
  } satisfies QuantizedLinear<CsrMatrix>;
}

/** What pruning left of a layer: the features of its heads, and its neurons. */
export interface PrunedSizes {
  readonly width: number;
  readonly intermediate: number;
}

/** `pruned`: the sizes of each layer, where they are not the whole ones. */
export function randomLayers(
  next: () => number,
  count: number,
  hidden: number,
  intermediate: number,
  options: RandomLinearOptions,
  pruned: readonly PrunedSizes[] = [],
): EncoderLayer[] {
  const linear = (rows: number, columns: number) => randomLinear(next, rows, columns, options);
  const norm = () => ({ weight: normals(next, hidden, 0.2).map((w) => w + 1), bias: normals(next, hidden, 0.1) });
  return Array.from({ length: count }, (_, layer) => {
    const { width, intermediate: neurons } = pruned[layer] ?? { width: hidden, intermediate };
    return {
      query: linear(width, hidden),
      key: linear(width, hidden),
      value: linear(width, hidden),
      attentionOutput: linear(hidden, width),
      attentionNorm: norm(),
      intermediate: linear(neurons, hidden),
      output: linear(hidden, neurons),
      outputNorm: norm(),
    };
  });
}
