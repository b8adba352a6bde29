// ln 2 in two parts, the first with 32 trailing zero bits, so that n * LN2_HIGH is exact (fdlibm's e_exp.c).
const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;

/**
 * `e^x` in float64 with the same bits in every engine: JavaScript leaves `Math.exp` to them. Only +, -, *, / are used.
 * Relative error below 4e-16; 0 below -708, infinity above 709.
 */
export function exp(x: number): number {
  if (Number.isNaN(x)) return x;
  if (x < -708) return 0;
  if (x > 709) return Number.POSITIVE_INFINITY;
  const n = Math.floor(x * Math.LOG2E + 0.5);
  const r = x - n * LN2_HIGH - n * LN2_LOW;
  // Taylor's series on |r| <= 0.347: the first term left out is below 1e-17.
  let sum = 1;
  for (let k = 14; k > 0; k--) sum = 1 + (sum * r) / k;
  return sum * powerOfTwo(n);
}

function powerOfTwo(n: number): number {
  let power = 1;
  let base = n < 0 ? 0.5 : 2;
  for (let rest = Math.abs(n); rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) power *= base;
    base *= base;
  }
  return power;
}
