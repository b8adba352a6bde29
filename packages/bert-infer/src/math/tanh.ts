import { exp } from './exp.js';

/** `tanh(x)` with the same bits in every engine (see {@link exp}); relative error below 1e-12, far below what float32 keeps. */
export function tanh(x: number): number {
  // Near 0 the quotient would cancel; the series' first term left out is below 1e-13 of the result.
  if (Math.abs(x) < 0.01) return x - (x * x * x) / 3 + (2 * x * x * x * x * x) / 15;
  const power = exp(2 * x);
  return power === Number.POSITIVE_INFINITY ? 1 : (power - 1) / (power + 1);
}
