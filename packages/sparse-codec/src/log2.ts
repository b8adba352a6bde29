/** log2(x) in 1 / 4,096, rounded down, for 0 < x < 2^53: by squaring, in whole numbers, so that it is the same on every machine (Math.log2 is not). */
export function log2(x: number): number {
  let exponent = 0;
  let mantissa = x;
  for (; mantissa >= 2; mantissa /= 2) exponent++;
  for (; mantissa < 1; mantissa *= 2) exponent--;
  // 25 bits after the point: squares stay below 2^52.
  let m = Math.floor(mantissa * ONE);
  let fraction = 0;
  for (let i = 0; i < 12; i++) {
    m = Math.floor((m * m) / ONE);
    fraction *= 2;
    if (m >= 2 * ONE) {
      m = Math.floor(m / 2);
      fraction++;
    }
  }
  return exponent * 4096 + fraction;
}

const ONE = 2 ** 25;
