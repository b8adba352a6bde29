import { expect, test } from 'vitest';
import { type Tensor, tensor } from './tensor.js';
import { toFloat32 } from './to-float32.js';

/** IEEE binary16 from its definition. */
function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 0x3ff;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

test('empty', () => {
  for (const dtype of ['float16', 'bfloat16'] as const) {
    expect(toFloat32(tensor(dtype, [0, 3], new Uint16Array(0)))).toEqual(
      tensor('float32', [0, 3], new Float32Array(0)),
    );
  }
});

test('every float16', () => {
  const bits = Uint16Array.from({ length: 65_536 }, (_, i) => i);
  const { data: values } = toFloat32(tensor('float16', [65_536], bits));
  expect(bits.every((b) => Object.is(values[b], half(b)))).toBe(true);
});

test('every bfloat16 is the upper half of its float32', () => {
  const bits = Uint16Array.from({ length: 65_536 }, (_, i) => i);
  const { data: values } = toFloat32(tensor('bfloat16', [65_536], bits));
  const back = new Uint32Array(values.buffer);
  expect(bits.every((b) => back[b] === b * 65_536)).toBe(true);
});

test('float32 is not copied, float64 is rounded, views keep their place', () => {
  const data = Float32Array.of(9, 1, 2).subarray(1);
  const same = tensor('float32', [2], data);
  expect(toFloat32(same)).toBe(same);
  expect(toFloat32(tensor('float64', [1], Float64Array.of(0.1))).data).toEqual(Float32Array.of(0.1));
  expect(toFloat32(tensor('float16', [1], Uint16Array.of(0, 0x3c00).subarray(1))).data).toEqual(Float32Array.of(1));
});

test('integers are refused', () => {
  const run = () => toFloat32(tensor('int8', [1], new Int8Array(1)) as Tensor, { tensor: 'ids' });
  expect(run).toThrow(expect.objectContaining({ code: 'unsupported', tensor: 'ids' }));
});
