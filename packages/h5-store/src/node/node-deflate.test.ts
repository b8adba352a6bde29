import { constants, deflateSync, inflateSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { shuffle } from '../format/shuffle.js';
import { nodeDeflate } from './node-deflate.js';

function noise(length: number): Uint8Array {
  let state = 1;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state >>> 24;
  });
}

/** Nothing but runs, in one piece. */
const withRuns = (bytes: Uint8Array) => deflateSync(bytes, { level: 9, memLevel: 9, strategy: constants.Z_RLE });

const SIZES = [100, 3000, 2 ** 15, 2 ** 15 + 1, 300_000];

test('nothing, and anything of any size, inflates to itself', async () => {
  expect(inflateSync(await nodeDeflate(new Uint8Array(), 9)).length).toBe(0);
  for (const size of SIZES) {
    for (const level of [1, 6, 9] as const) {
      for (const bytes of [noise(size), new Uint8Array(size).fill(7), noise(size).map((byte) => byte >> 6)]) {
        const packed = await nodeDeflate(bytes, level);
        expect(Buffer.compare(inflateSync(packed), bytes)).toBe(0);
        expect(packed.length).toBeLessThan(1.001 * size + 50);
      }
    }
  }
});

test('repeats that save a tenth are used, at every size', async () => {
  const part = noise(500);
  for (const size of SIZES.slice(1)) {
    const bytes = Uint8Array.from({ length: size }, (_, i) => part[i % 500]);
    expect((await nodeDeflate(bytes, 9)).length).toBeLessThan(0.25 * size);
  }
});

test('repeats in what is short without them are left alone: the high bytes of column indices', async () => {
  const [rows, perRow] = [3000, 46];
  const within = noise(rows * perRow);
  const columns = Uint16Array.from(within, (byte, i) => (i % perRow) * 16 + (byte >> 4));
  const planes = shuffle(new Uint8Array(columns.buffer), 2);
  expect(Buffer.compare(await nodeDeflate(planes, 9), withRuns(planes))).toBe(0);
});
