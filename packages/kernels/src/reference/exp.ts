const { fround } = Math;

/** 1.5 * 2^23: adding it to a float32 of magnitude below 2^22 rounds to an integer, ties to even. */
export const ROUNDING_MAGIC = 12582912;
/** Powers of two are clamped to this. */
export const EXP_LIMIT = 126;
const LOG2_E = fround(Math.LOG2E);
/**
 * 2^f = 1 + f * (C1 + f * (C2 + ...)) on [-0.5, 0.5]: minimax of the relative error with the constant term fixed, so that exp(0) is 1;
 * 9.2e-8 before rounding.
 */
export const EXP_COEFFICIENTS = [
  0.6931470036506653, 0.24022242426872253, 0.05550733581185341, 0.009671512991189957, 0.001326472731307149,
].map(fround);

/**
 * e^x in float32 for every x that is not NaN, the same bits everywhere: relative error at most 2e-7 for |x| <= 1 and |x| * 1e-7 more
 * beyond. Results stay within 2^-126 and 2^126.
 */
export function exp(x: number): number {
  const t = Math.max(-EXP_LIMIT, Math.min(EXP_LIMIT, fround(x * LOG2_E)));
  const n = fround(fround(t + ROUNDING_MAGIC) - ROUNDING_MAGIC);
  const f = fround(t - n);
  let p = EXP_COEFFICIENTS[4];
  for (let i = 3; i >= 0; i--) p = fround(fround(p * f) + EXP_COEFFICIENTS[i]);
  p = fround(fround(p * f) + 1);
  // Exact: 2^n is a normal float32 and p lies in [0.7, 1.42].
  return p * 2 ** n;
}
