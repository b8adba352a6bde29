import type { Activation } from '../spec/encoder-spec.js';
import { exp } from './exp.js';

const { fround } = Math;

/**
 * 2 Phi(-a) = p(a)^-16 for a >= 0, the form of Abramowitz and Stegun 7.1.28, fitted anew for the least error of a * Phi(-a): 2.6e-7 before
 * rounding, 5.1e-7 in float32. Below 1e-6 everywhere, and no clamp: where p^16 overflows the term is 0, as it should be.
 */
export const GELU_COEFFICIENTS = [
  0.049864139407873154, 0.021157288923859596, 0.0032493306789547205, 5.9706104366341606e-5, 4.1388077079318464e-5,
  6.332423708954593e-6,
].map(fround);

/** -2 sqrt(2 / pi) and the factor of the cube, of the tanh form: x (1 + tanh y) / 2 = x / (1 + e^(-2 y)). */
export const TANH_COEFFICIENTS = [-1.5957691216057308, 0.044715].map(fround);

/** `gelu` (with erf), `gelu_new` (with tanh) or `relu` of a float32 number, the same bits everywhere; absolute error below 1e-6. */
export function activate(x: number, activation: Activation): number {
  if (activation === 'relu') return Math.max(x, 0);
  if (activation === 'gelu') return gelu(x);
  const cube = fround(fround(x * x) * x);
  const y = fround(x + fround(TANH_COEFFICIENTS[1] * cube));
  return fround(x / fround(1 + exp(fround(TANH_COEFFICIENTS[0] * y))));
}

function gelu(x: number): number {
  const a = Math.abs(x);
  const square = fround(a * a);
  // In this order (Estrin's), not Horner's: half the depth.
  const [c1, c2, c3, c4, c5, c6] = GELU_COEFFICIENTS;
  const low = fround(fround(c1 * a) + 1);
  const middle = fround(fround(c3 * a) + c2);
  const high = fround(fround(fround(c5 * a) + c4) + fround(c6 * square));
  let p = fround(low + fround(square * fround(middle + fround(square * high))));
  for (let i = 0; i < 4; i++) p = fround(p * p);
  return fround(Math.max(x, 0) - fround(fround(a * 0.5) / p));
}
