import type { LayerNormParameters } from '../spec/encoder-spec.js';

const { fround } = Math;

/**
 * LayerNorm over rows of `weight.length`, biased variance, two passes, float32 throughout. The order of every operation is part of the
 * specification: sums run over the features in ascending order.
 *
 *     mean = sum(x) / n;  variance = sum((x - mean)^2) / n;  y = ((x - mean) * (1 / sqrt(variance + eps))) * weight + bias
 */
export function layerNorm(x: Float32Array, { weight, bias }: LayerNormParameters, eps: number): Float32Array {
  const n = weight.length;
  const y = new Float32Array(x.length);
  for (let begin = 0; begin < x.length; begin += n) {
    let sum = 0;
    for (let i = 0; i < n; i++) sum = fround(sum + x[begin + i]);
    const mean = fround(sum / n);
    let squares = 0;
    for (let i = 0; i < n; i++) {
      const d = fround(x[begin + i] - mean);
      squares = fround(squares + fround(d * d));
    }
    const inverse = fround(1 / fround(Math.sqrt(fround(fround(squares / n) + fround(eps)))));
    for (let i = 0; i < n; i++) {
      const normal = fround(fround(x[begin + i] - mean) * inverse);
      y[begin + i] = fround(normal * weight[i]) + bias[i];
    }
  }
  return y;
}
