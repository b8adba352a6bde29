import { tensor } from '@prune/core';
import { expect, test } from 'vitest';
import { toFloat32 } from './float32.js';

test('empty', () => {
  expect(toFloat32(tensor('float16', [0], new Uint16Array(0)))).toEqual(new Float32Array(0));
});

test('the elements alone: float32 not copied, half widened, float64 rounded', () => {
  const data = Float32Array.of(9, 1, 2).subarray(1);
  expect(toFloat32(tensor('float32', [2], data))).toBe(data);
  expect(toFloat32(tensor('float16', [1], Uint16Array.of(0x3c00)))).toEqual(Float32Array.of(1));
  expect(toFloat32(tensor('float64', [1], Float64Array.of(0.1)))).toEqual(Float32Array.of(0.1));
});

test('integers are refused, by tensor', () => {
  const run = () => toFloat32(tensor('int8', [1], new Int8Array(1)), { tensor: 'ids' });
  expect(run).toThrow(expect.objectContaining({ code: 'unsupported', where: 'quant', tensor: 'ids' }));
});
