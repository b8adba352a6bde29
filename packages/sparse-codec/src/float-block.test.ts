import { DTYPES, type Dtype, Pacer, type Tensor, tensor, tensorBytes } from '@prune/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { randomOf } from './csr.fixture.js';
import { decodeFloats, encodeFloats } from './float-block.js';
import { joined } from './joined.js';

async function roundTrip(given: Tensor): Promise<number> {
  const bytes = joined([], await encodeFloats(given, new Pacer()));
  const back = await decodeFloats(bytes, given.dtype, given.shape, given.data.length, new Pacer());
  expect(tensorBytes(back)).toEqual(tensorBytes(given));
  expect(back.shape).toEqual(given.shape);
  return bytes.length;
}

const float32 = (values: readonly number[]) => tensor('float32', [values.length], Float32Array.from(values));
const gaussian = (random: () => number) => random() + random() + random() + random() - 2;

test('no elements', async () => {
  await roundTrip(float32([]));
  await roundTrip(tensor('bfloat16', [0, 3], new Uint16Array(0)));
});

test('every special float32 keeps its bits', async () => {
  const bits = Uint32Array.of(
    0,
    0x80000000,
    1,
    0x7f800000,
    0xff800000,
    0x7fc00001,
    0xffa00000,
    0x00800000,
    0x7f7fffff,
    0x33800000,
  );
  const values = new Float32Array(bits.buffer);
  await roundTrip(tensor('float32', [values.length], values));
  // Each among numbers that would be taken for halves or for a grid.
  for (const value of bits) {
    const mixed = new Uint32Array(4000).fill(0x3f800000);
    mixed[77] = value;
    await roundTrip(tensor('float32', [4000], new Float32Array(mixed.buffer)));
  }
});

test('float32 that float16 holds exactly takes less than half, subnormal halves and both zeros with it', async () => {
  const random = randomOf(1);
  const halves = Array.from(
    { length: 4096 },
    () => Math.round(1024 + 1023 * random()) * 2 ** (-12 - Math.floor(4 * random())),
  );
  expect(await roundTrip(float32([...halves, 2 ** -24, 1023 * 2 ** -24, -(2 ** -14), 65504, 0, -0]))).toBeLessThan(
    4102 * 2,
  );
  await roundTrip(float32([...halves, 65520]));
  await roundTrip(float32([...halves, 2 ** -25]));
});

test('a table on a grid costs the entropy of its multiples, -0 apart', async () => {
  const random = randomOf(2);
  const grid = Array.from({ length: 20_000 }, () => Math.round(40 * gaussian(random)) / 256 + 0);
  const size = await roundTrip(float32(grid));
  // Four uniform numbers have a standard deviation of sqrt(4 / 12): 0.577 * 40 steps is 6.6 bits.
  expect(size).toBeLessThan((20_000 * 6.7) / 8);
  expect(await roundTrip(float32(grid.map((value) => (value === 0 ? -0 : value))))).toBeLessThan(size + 40);
  expect(await roundTrip(float32(new Array(4096).fill(1)))).toBeLessThan(40);
});

test('noise grows by a few bytes at most', async () => {
  const random = randomOf(3);
  for (const dtype of ['float32', 'float16', 'bfloat16'] as const) {
    const raw = Uint8Array.from({ length: 8000 }, () => 256 * random());
    const { array, bytes } = DTYPES[dtype];
    expect(await roundTrip(tensor(dtype, [8000 / bytes], new array(raw.buffer) as never))).toBeLessThan(8016);
  }
});

test('any bits of any float', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom<Dtype>('float32', 'float16', 'bfloat16'),
      fc.uint8Array({ maxLength: 400 }),
      async (dtype, raw) => {
        const { array, bytes } = DTYPES[dtype];
        const data = new array(raw.slice(0, raw.length - (raw.length % bytes)).buffer);
        const given = tensor(dtype, [data.length], data as never);
        const coded = joined([], await encodeFloats(given, new Pacer()));
        const back = await decodeFloats(coded, dtype, given.shape, data.length, new Pacer());
        expect(tensorBytes(back)).toEqual(tensorBytes(given));
      },
    ),
    { numRuns: 500 },
  );
});
