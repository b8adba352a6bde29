import fc from 'fast-check';
import { expect, test } from 'vitest';
import { expectNear } from '../../test/expect-near.js';
import { PROBABILITIES } from '../../test/probabilities.js';
import { exp } from './exp.js';
import { softmax } from './softmax.js';
import { tanh } from './tanh.js';

// V8's own functions are fdlibm's, good to one unit in the last place.
const near = (got: number, wanted: number, relative: number): void => {
  expect(Math.abs(got - wanted)).toBeLessThanOrEqual(relative * Math.abs(wanted));
};

test('exp of the edges', () => {
  expect([exp(0), exp(-0), exp(-1e9), exp(1e9), exp(Number.NaN)]).toEqual([
    1,
    1,
    0,
    Number.POSITIVE_INFINITY,
    Number.NaN,
  ]);
});

test('exp', () => {
  fc.assert(fc.property(fc.double({ min: -700, max: 700, noNaN: true }), (x) => near(exp(x), Math.exp(x), 6e-16)));
});

test('tanh of the edges', () => {
  expect([tanh(0), tanh(1e9), tanh(-1e9), tanh(Number.NaN)]).toEqual([0, 1, -1, Number.NaN]);
});

test('tanh', () => {
  fc.assert(fc.property(fc.double({ min: -25, max: 25, noNaN: true }), (x) => near(tanh(x), Math.tanh(x), 2e-13)));
  fc.assert(fc.property(fc.double({ min: -0.02, max: 0.02, noNaN: true }), (x) => near(tanh(x), Math.tanh(x), 2e-13)));
});

test.each(PROBABILITIES.softmax)('softmax: $name', ({ scores, probabilities }) => {
  expectNear(softmax(scores.map(Number)), probabilities);
});
