import fc from 'fast-check';
import { expect, test } from 'vitest';
import { rint } from './rint.js';

/** Ties to even, from the definition. */
function nearestEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return rest < 0.5 ? floor : floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}

test('0, halves, and the neighbours of halves', () => {
  expect(rint(0)).toBe(0);
  expect(Object.is(rint(-0.25), 0)).toBe(true);
  expect([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 126.5, 127.5].map(rint)).toEqual([-2, -2, 0, 0, 2, 2, 126, 128]);
  for (let n = -300; n <= 300; n++) {
    for (const value of [n + 0.5, n + 0.5 - 2 ** -44, n + 0.5 + 2 ** -44, n]) {
      // toEqual would tell 0 from -0; rint has no -0.
      expect(rint(value) === nearestEven(value)).toBe(true);
    }
  }
});

test('equal to ties-to-even for any value that fits, float32 or float64', () => {
  const values = fc.oneof(
    fc.double({ min: -(2 ** 51), max: 2 ** 51, noNaN: true }),
    fc.float({ min: -1024, max: 1024, noNaN: true }),
    fc.integer({ min: -(2 ** 30), max: 2 ** 30 }).map((n) => n / 2),
  );
  fc.assert(
    fc.property(values, (value) => {
      expect(rint(value) === nearestEven(value)).toBe(true);
    }),
    { numRuns: 5000 },
  );
});
