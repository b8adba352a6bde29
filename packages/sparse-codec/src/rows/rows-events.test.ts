import { DEFAULT_LIMITS, type NamedTensor, Pacer } from '@prune/core';
import { afterEach, expect, test, vi } from 'vitest';
import { randomOf } from '../csr.fixture.js';
import { blockBytes, floatTable, quantizedTensors, storedBlock } from './rows.fixture.js';
import { rowsCodec } from './rows-codec.js';

// Times would depend on the machine, so this counts looks at the clock: at least one for every so many elements.
const ROWS = 1100;
const WIDTH = 256;
const BETWEEN = 2 ** 16;

const random = randomOf(1);
const gaussian = () => random() + random() + random() + random() - 2;
const codec = rowsCodec();

afterEach(() => vi.restoreAllMocks());

test.each<[string, number, () => NamedTensor[]]>([
  // The grid, three passes over the integers, and the coder.
  ['a grid', 5, () => [floatTable(ROWS, WIDTH, () => Math.round(40 * gaussian()) / 256 + 0)]],
  // The grid and the halves, which both fail at once, counts, and the coder.
  ['planes', 3, () => [floatTable(ROWS, WIDTH, gaussian)]],
  ['equal elements', 5, () => [floatTable(ROWS, WIDTH, () => 1)]],
  ['codes', 5, () => quantizedTensors(ROWS, WIDTH, 255, () => Math.round(40 * gaussian()) / 256 + 0)],
])('%s: a look at the clock before every block of every pass', async (_, passes, make) => {
  const tensors = make();
  const blocks = Math.ceil((ROWS * WIDTH) / BETWEEN);
  const pause = vi.spyOn(Pacer.prototype, 'pause').mockResolvedValue();
  const block = await storedBlock(codec, tensors);
  if (block === undefined) throw new Error('declined');
  expect(pause.mock.calls.length).toBeGreaterThanOrEqual(passes * blocks);
  pause.mockClear();
  await codec.decode(block.bytes, tensors, DEFAULT_LIMITS);
  expect(pause.mock.calls.length).toBeGreaterThanOrEqual(blocks);
  pause.mockClear();
  const select = await codec.selectRows?.(blockBytes(block), tensors, DEFAULT_LIMITS);
  await select?.(Array.from({ length: ROWS }, (_, row) => ROWS - 1 - row));
  expect(pause.mock.calls.length).toBeGreaterThanOrEqual(blocks);
});
