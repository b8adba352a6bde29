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
  // Four rows side by side: each sum is a chain of additions that wait for one another, and one chain alone takes 3 times as long.
  let begin = 0;
  for (; begin + 4 * n <= x.length; begin += 4 * n) fourRows(x, y, begin, n, weight, bias, eps);
  for (; begin < x.length; begin += n) {
    let sum = 0;
    for (let i = 0; i < n; i++) sum = fround(sum + x[begin + i]);
    const mean = fround(sum / n);
    let squares = 0;
    for (let i = 0; i < n; i++) squares = plusSquare(squares, fround(x[begin + i] - mean));
    const inverse = inverseDeviation(squares, n, eps);
    for (let i = 0; i < n; i++) y[begin + i] = affine(x[begin + i], mean, inverse, weight[i]) + bias[i];
  }
  return y;
}

function fourRows(
  x: Float32Array,
  y: Float32Array,
  a: number,
  n: number,
  weight: Float32Array,
  bias: Float32Array,
  eps: number,
): void {
  const [b, c, d] = [a + n, a + 2 * n, a + 3 * n];
  let [sa, sb, sc, sd] = [0, 0, 0, 0];
  for (let i = 0; i < n; i++) {
    sa = fround(sa + x[a + i]);
    sb = fround(sb + x[b + i]);
    sc = fround(sc + x[c + i]);
    sd = fround(sd + x[d + i]);
  }
  const [ma, mb, mc, md] = [fround(sa / n), fround(sb / n), fround(sc / n), fround(sd / n)];
  [sa, sb, sc, sd] = [0, 0, 0, 0];
  for (let i = 0; i < n; i++) {
    sa = plusSquare(sa, fround(x[a + i] - ma));
    sb = plusSquare(sb, fround(x[b + i] - mb));
    sc = plusSquare(sc, fround(x[c + i] - mc));
    sd = plusSquare(sd, fround(x[d + i] - md));
  }
  const [ia, ib, ic, id] = [sa, sb, sc, sd].map((squares) => inverseDeviation(squares, n, eps));
  for (let i = 0; i < n; i++) {
    y[a + i] = affine(x[a + i], ma, ia, weight[i]) + bias[i];
    y[b + i] = affine(x[b + i], mb, ib, weight[i]) + bias[i];
    y[c + i] = affine(x[c + i], mc, ic, weight[i]) + bias[i];
    y[d + i] = affine(x[d + i], md, id, weight[i]) + bias[i];
  }
}

function plusSquare(sum: number, d: number): number {
  return fround(sum + fround(d * d));
}

function inverseDeviation(squares: number, n: number, eps: number): number {
  return fround(1 / fround(Math.sqrt(fround(fround(squares / n) + fround(eps)))));
}

function affine(x: number, mean: number, inverse: number, weight: number): number {
  return fround(fround(fround(x - mean) * inverse) * weight);
}
