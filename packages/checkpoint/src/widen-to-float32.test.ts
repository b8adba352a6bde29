import { tensor } from '@prune/core';
import { expect, test } from 'vitest';
import { widenToFloat32 } from './widen-to-float32.js';

test('an empty tensor and a scalar', () => {
  expect(widenToFloat32(tensor('float16', [0, 2], new Uint16Array(0)))).toEqual(
    tensor('float32', [0, 2], new Float32Array(0)),
  );
  expect(widenToFloat32(tensor('bfloat16', [], Uint16Array.of(0x3fc0)))).toEqual(
    tensor('float32', [], Float32Array.of(1.5)),
  );
});

test('every float16: sign, exponent and fraction as IEEE 754 has them', () => {
  const halves = Uint16Array.from({ length: 65_536 }, (_, i) => i);
  const { data } = widenToFloat32(tensor('float16', [65_536], halves));
  const bits = new Uint32Array(data.buffer);
  const wrong = halves.filter((half) => {
    const [sign, exponent, fraction] = [half >> 15 ? -1 : 1, (half >> 10) & 31, half & 1023];
    const finite = exponent === 0 ? fraction / 2 ** 24 : (1024 + fraction) * 2 ** (exponent - 25);
    const special = fraction === 0 ? Number.POSITIVE_INFINITY : Number.NaN;
    const value = sign * (exponent === 31 ? special : finite);
    return !Object.is(data[half], value) || bits[half] >>> 31 !== half >> 15;
  });
  expect(wrong).toEqual(new Uint16Array(0));
});

test('every bfloat16 is the upper half of its float32, also in a view', () => {
  const words = Uint16Array.from({ length: 65_537 }, (_, i) => i - 1).subarray(1);
  const bits = new Uint32Array(widenToFloat32(tensor('bfloat16', [65_536], words)).data.buffer);
  expect(words.filter((word, i) => bits[i] !== word * 65_536)).toEqual(new Uint16Array(0));
  expect(bits.length).toBe(65_536);
});

test('float32 is returned as it is; what would round, or is no weight, is refused by name', () => {
  const same = tensor('float32', [1], Float32Array.of(1));
  expect(widenToFloat32(same)).toBe(same);
  const refuse = () => widenToFloat32(tensor('float64', [1], Float64Array.of(1)), { tensor: 'w' });
  expect(refuse).toThrow(expect.objectContaining({ code: 'unsupported', tensor: 'w' }));
});
