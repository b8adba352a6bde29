import { expect, test, vi } from 'vitest';
import { inBlocks } from './in-blocks.js';
import { Pacer } from './pacer.js';

test.each([
  { length: 0, width: 1, blocks: [] },
  {
    length: 65_537,
    width: 1,
    blocks: [
      [0, 65_536],
      [65_536, 65_537],
    ],
  },
  {
    length: 7,
    width: 20_000,
    blocks: [
      [0, 3],
      [3, 6],
      [6, 7],
    ],
  },
  {
    length: 2,
    width: 100_000,
    blocks: [
      [0, 1],
      [1, 2],
    ],
  },
  { length: 5, width: 0, blocks: [[0, 5]] },
])('$length items of $width elements, and a look at the clock before each block', async ({ length, width, blocks }) => {
  const pacer = new Pacer();
  const pause = vi.spyOn(pacer, 'pause');
  const seen: number[][] = [];
  await inBlocks(length, pacer, (from, to) => seen.push([from, to]), width);
  expect(seen).toEqual(blocks);
  expect(pause).toHaveBeenCalledTimes(blocks.length);
});
