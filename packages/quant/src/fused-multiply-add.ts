/**
 * float32 `a * b + c` in one rounding, as hardware's fused multiply-add gives it. The product is exact in float64; the sum is rounded there to an
 * odd last bit wherever it is not exact, so that rounding it again, to float32, is as good as rounding once: Boldo and Melquiond, "Emulation
 * of FMA and correctly rounded sums", IEEE Transactions on Computers 57 (2008). Without that, about one in 2^29 results is off by a bit.
 */
export function fusedMultiplyAdd(a: number, b: number, c: number): number {
  const product = a * b;
  let sum = product + c;
  const taken = sum - product;
  const error = product - (sum - taken) + (c - taken);
  if (error !== 0) {
    number[0] = sum;
    if ((bits[0] & 1n) === 0n) {
      bits[0] += error > 0 === sum > 0 ? 1n : -1n;
      sum = number[0];
    }
  }
  return Math.fround(sum);
}

const number = new Float64Array(1);
const bits = new BigInt64Array(number.buffer);
