import fc from 'fast-check';
import { expect, test } from 'vitest';
import { float32Json, float32Text } from './float32-json.js';

test('no numbers', () => {
  expect([float32Json([], [0]), float32Json([], [2, 0])]).toEqual(['[]', '[[],[]]']);
});

test.each([
  [Math.fround(0.1), '0.1'],
  [16777216, '16777216'],
  [Math.fround(3.4028234663852886e38), '3.4028235e+38'],
  [2 ** -149, '1e-45'],
  [-0, '-0'],
  [Number.NaN, 'null'],
])('%d is %s', (value, text) => {
  expect(float32Text(value)).toBe(text);
});

test('every float32 reads back', () => {
  fc.assert(
    fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
      expect(Object.is(Math.fround(JSON.parse(float32Text(value))), value)).toBe(true);
    }),
  );
});

test('shapes', () => {
  expect(JSON.parse(float32Json([1, 2, 3, 4, 5, 6], [1, 2, 3]))).toEqual([
    [
      [1, 2, 3],
      [4, 5, 6],
    ],
  ]);
  expect(float32Json([7], [])).toBe('7');
});
