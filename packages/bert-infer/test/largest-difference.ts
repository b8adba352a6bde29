import type { Tensor } from '@prune/core';

/** The largest absolute difference of two tensors of one shape; NaN where either holds one. */
export function largestDifference(a: Tensor, b: Tensor): number {
  if (a.shape.join() !== b.shape.join()) throw new Error(`[${a.shape}] and [${b.shape}]`);
  let most = 0;
  for (let i = 0; i < a.data.length; i++) {
    const difference = Math.abs(Number(a.data[i]) - Number(b.data[i]));
    if (Number.isNaN(difference)) return difference;
    if (difference > most) most = difference;
  }
  return most;
}

/** For each row the place of its largest number. */
export function argmaxOfRows({ shape, data }: Tensor): number[] {
  const width = shape[shape.length - 1];
  return Array.from({ length: data.length / width }, (_, row) => {
    const values = Array.from(data.subarray(row * width, (row + 1) * width), Number);
    return values.indexOf(Math.max(...values));
  });
}

/** A two-dimensional tensor as a list of rows. */
export function rowsOf({ shape, data }: Tensor): number[][] {
  const [rows, width] = shape;
  return Array.from({ length: rows }, (_, row) => Array.from(data.subarray(row * width, (row + 1) * width), Number));
}
