import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fusedMultiplyAdd } from './fused-multiply-add.js';

const { fround } = Math;

/** A finite float32 as an integer times 2^-149. */
function exact(x: number): bigint {
  const word = new Uint32Array(Float32Array.of(x).buffer)[0];
  const exponent = (word >>> 23) & 255;
  const mantissa = BigInt(word & 0x7fffff) | (exponent === 0 ? 0n : 1n << 23n);
  const magnitude = mantissa << BigInt(Math.max(exponent, 1) - 1);
  return word >>> 31 ? -magnitude : magnitude;
}

/** The float32 that is nearest to an integer times 2^-298, ties to even. */
function nearest(value: bigint): number {
  const magnitude = value < 0n ? -value : value;
  const bits = magnitude.toString(2).length;
  const step = BigInt(Math.max(bits - 24, 149));
  const half = 1n << (step - 1n);
  let quotient = magnitude >> step;
  const rest = magnitude - (quotient << step);
  if (rest > half || (rest === half && (quotient & 1n) === 1n)) quotient++;
  const result = Number(quotient) * 2 ** (Number(step) - 298);
  return value < 0n ? -result : result;
}

const reference = (a: number, b: number, c: number) => nearest(exact(a) * exact(b) + (exact(c) << 149n));

test('zero', () => {
  expect(fusedMultiplyAdd(0, 3, 0)).toBe(0);
  expect(fusedMultiplyAdd(0, 3, -0)).toBe(0);
  expect(fusedMultiplyAdd(-0, 3, -0)).toBe(-0);
});

test('a sum that float64 rounds to half-way between two numbers of float32, from either side', () => {
  // The product is (2^46 + 1) * 2^-70: half the last bit of 1 and a little more, which float64 has no room for.
  for (const [a, b] of [
    [8392705, 8384513 * 2 ** -70],
    [-8392705, 8384513 * 2 ** -70],
  ]) {
    for (const c of [1, -1, 1 + 2 ** -23, -1 - 2 ** -23]) {
      expect(fusedMultiplyAdd(a, b, c)).toBe(reference(a, b, c));
    }
  }
  expect(fusedMultiplyAdd(8392705, 8384513 * 2 ** -70, 1)).toBe(1 + 2 ** -23);
  expect(fround(8392705 * 8384513 * 2 ** -70 + 1)).toBe(1);
});

test('any finite numbers, to the bit', () => {
  const scaled = (low: number, high: number) =>
    fc
      .tuple(fc.integer({ min: -(2 ** 24), max: 2 ** 24 }), fc.integer({ min: low, max: high }))
      .map(([mantissa, exponent]) => fround(mantissa * 2 ** exponent));
  fc.assert(
    fc.property(scaled(-20, 4), scaled(-60, 0), scaled(-90, 20), (a, b, c) => {
      expect(fusedMultiplyAdd(a, b, c) + 0).toBe(reference(a, b, c) + 0);
    }),
    { numRuns: 2000 },
  );
});
