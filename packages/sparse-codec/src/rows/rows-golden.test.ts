import { createHash } from 'node:crypto';
import { type NamedTensor, tensor } from '@prune/core';
import { expect, test } from 'vitest';
import { randomOf } from '../csr.fixture.js';
import { floatTable, quantizedTensors, storedBlock } from './rows.fixture.js';
import { rowsCodec } from './rows-codec.js';

const ROWS = 150;
const WIDTH = 120;

/** Sums of four numbers, which are the same on every machine. */
function gaussianOf(seed: number): () => number {
  const random = randomOf(seed);
  return () => random() + random() + random() + random() - 2;
}

function halfBits(): NamedTensor {
  const gaussian = gaussianOf(4);
  const data = Uint16Array.from({ length: ROWS * WIDTH }, () => 0x3800 + Math.round(500 * gaussian()));
  return { name: 'embeddings.weight', ...tensor('float16', [ROWS, WIDTH], data) };
}

const onGrid = (seed: number) => {
  const gaussian = gaussianOf(seed);
  return () => Math.round(40 * gaussian()) / 256 + 0;
};

// A file written today must be read for ever: these change only together with the codec's name.
test('the bytes are what they were', async () => {
  const hashes: Record<string, string> = {};
  for (const [name, tensors] of Object.entries({
    grid: [floatTable(ROWS, WIDTH, onGrid(1))],
    planes: [floatTable(ROWS, WIDTH, gaussianOf(2))],
    halves: [floatTable(ROWS, WIDTH, (i) => (i % 1009) / 2048)],
    float16: [halfBits()],
    'codes of 8 bits, on a grid': quantizedTensors(ROWS, WIDTH, 255, onGrid(5)),
    'codes of 8 bits, on no grid': quantizedTensors(ROWS, WIDTH, 255, gaussianOf(6)),
    'codes of 4 bits': quantizedTensors(ROWS, WIDTH, 15, onGrid(7)),
  })) {
    const block = await storedBlock(rowsCodec(), tensors);
    if (block === undefined) throw new Error(`${name}: declined`);
    hashes[name] = createHash('sha256').update(block.bytes).digest('hex').slice(0, 16);
  }
  expect(hashes).toMatchInlineSnapshot(`
    {
      "codes of 4 bits": "9c35958367751cb3",
      "codes of 8 bits, on a grid": "83f88b74eb3c0b20",
      "codes of 8 bits, on no grid": "1cd9f3b22851eea9",
      "float16": "ad5893732faa695c",
      "grid": "c630fa41cc8502ff",
      "halves": "5c13fc7ef50a167c",
      "planes": "848240af234cbe17",
    }
  `);
});
