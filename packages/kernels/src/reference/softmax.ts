import { exp } from './exp.js';

const { fround } = Math;

/** Softmax over rows of `columns`, float32: `e^(x - max)` divided by the sum, which runs in ascending order. */
export function softmax(x: Float32Array, columns: number): Float32Array {
  const y = new Float32Array(x.length);
  for (let begin = 0; begin < x.length; begin += columns) {
    let max = x[begin];
    for (let i = 1; i < columns; i++) if (max < x[begin + i]) max = x[begin + i];
    let sum = 0;
    for (let i = 0; i < columns; i++) {
      y[begin + i] = exp(fround(x[begin + i] - max));
      sum = fround(sum + y[begin + i]);
    }
    for (let i = 0; i < columns; i++) y[begin + i] /= sum;
  }
  return y;
}
