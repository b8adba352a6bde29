import { expect } from 'vitest';

/** Expects every number within `relative` of the wanted one. 1e-15 allows for the rounding of a softmax in float64. */
export function expectNear(got: readonly number[], wanted: readonly number[], relative = 1e-15): void {
  expect(got).toHaveLength(wanted.length);
  for (const [i, value] of wanted.entries()) {
    expect(Math.abs(got[i] - value), `${i}: ${got[i]}, wanted ${value}`).toBeLessThanOrEqual(relative * value);
  }
}
