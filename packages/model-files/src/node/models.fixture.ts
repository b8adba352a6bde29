import { type Tensor, tensor } from '@prune/core';

const table = tensor(
  'float32',
  [64, 9],
  Float32Array.from({ length: 576 }, (_, i) => (i * 7919) % 1009),
);

/** A model: a table that all of them share, and a tensor of its own. */
export function modelOf(value: number): ReadonlyMap<string, Tensor> {
  return new Map<string, Tensor>([
    ['table', table],
    ['own', tensor('int8', [99], new Int8Array(99).fill(value))],
  ]);
}
