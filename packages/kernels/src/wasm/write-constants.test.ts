import { expect, test } from 'vitest';
import { CONSTANTS } from './layout.js';
import { writeConstants } from './write-constants.js';

test('every lane of every vector is written, and nothing after them', () => {
  const bytes = new Uint8Array(CONSTANTS.bytes + 16).fill(0xaa);
  writeConstants(bytes.buffer);
  const words = new Uint32Array(bytes.buffer);
  expect(words.subarray(0, CONSTANTS.bytes / 4)).not.toContain(0xaaaaaaaa);
  expect(words.subarray(CONSTANTS.bytes / 4)).toEqual(new Uint32Array(4).fill(0xaaaaaaaa));
  const { log2E, magic, tMin, half, tanhCube, even16, high8, float64Offset } = CONSTANTS.fields;
  const floats = [log2E, magic, tMin, half, tanhCube].map(({ at }) => new Float32Array(bytes.buffer, at, 4));
  expect(floats.map((lanes) => new Set(lanes))).toEqual(
    [Math.LOG2E, 12582912, -126, 0.5, 0.044715].map((value) => new Set([Math.fround(value)])),
  );
  expect(new Uint32Array(bytes.buffer, even16.at, 4)).toEqual(new Uint32Array(4).fill(1));
  expect(new Uint32Array(bytes.buffer, high8.at, 4)).toEqual(new Uint32Array(4).fill(0xff00ff00));
  expect(new Float64Array(bytes.buffer, float64Offset.at, 2)).toEqual(new Float64Array(2).fill(2 ** 52 + 2 ** 31));
});
