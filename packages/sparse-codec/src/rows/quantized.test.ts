import { createHash } from 'node:crypto';
import { DEFAULT_LIMITS, type NamedTensor, tensor, tensorBytes } from '@prune/core';
import { expect, test } from 'vitest';
import { randomOf } from '../csr.fixture.js';
import { entropyCodec } from '../entropy-codec.js';
import { quantizedTensors, rowsBack, storedBlock, takenRows } from './rows.fixture.js';
import { rowsCodec } from './rows-codec.js';

const codec = rowsCodec({ sha256: (bytes) => createHash('sha256').update(bytes).digest() });
const random = randomOf(3);
const gaussian = () => random() + random() + random() + random() - 2;
const onGrid = () => Math.round(40 * gaussian()) / 256 + 0;

/** Whole and by rows, every bit; gives the block's length. */
async function roundTrip(tensors: readonly NamedTensor[]): Promise<number> {
  const block = await storedBlock(codec, tensors);
  if (block === undefined) throw new Error('declined');
  const count = tensors[0].shape[0];
  const rows = [count - 1, 0, 20, 21, 22, 23, 24, 0];
  const { whole, some } = await rowsBack(codec, block, tensors, rows);
  tensors.forEach((given, i) => {
    expect(whole[i].shape).toEqual(given.shape);
    expect(Buffer.compare(tensorBytes(whole[i]), tensorBytes(given))).toBe(0);
    expect(Buffer.compare(tensorBytes(some[i]), tensorBytes(takenRows(given, rows)))).toBe(0);
  });
  return block.bytes.length;
}

test('the tensors of a table are one group, in any order; other shapes are left', async () => {
  const tensors = quantizedTensors(100, 40, 255, onGrid);
  const [scale, zeroPoint, codes] = tensors;
  expect(new Set(tensors.map((info) => JSON.stringify(codec.group?.(info)))).size).toBe(1);
  expect(codec.group?.(scale)?.size).toBe(3);
  await roundTrip([codes, scale, zeroPoint]);
  expect(await codec.encode([scale, { ...zeroPoint, shape: [100, 1] }, codes])).toBeUndefined();
  expect(await codec.encode(quantizedTensors(63, 40, 255, onGrid))).toBeUndefined();
  expect(await codec.encode([scale, zeroPoint])).toBeUndefined();
});

test.each([
  ['8 bits, on a grid', 255, onGrid],
  ['8 bits, on no grid', 255, gaussian],
  ['4 bits, on a grid', 15, onGrid],
  ['4 bits, on no grid', 15, gaussian],
])('%s: within 3 % of codec entropy', async (_, most, of) => {
  const tensors = quantizedTensors(1500, 200, most, of);
  const entropy = await storedBlock(entropyCodec(), tensors);
  expect((await roundTrip(tensors)) / (entropy?.bytes.length ?? 0)).toBeLessThan(1.03);
});

test('rows on a grid among others, and numbers that no quantizer makes', async () => {
  const [scale, zeroPoint, codes] = quantizedTensors(301, 64, 255, (i) =>
    Math.floor(i / 64) % 17 === 3 ? gaussian() : onGrid(),
  );
  const [scales, zeros] = [scale.data as Float32Array, zeroPoint.data as Float32Array];
  zeros[20] = Number.NaN;
  scales[21] = Number.POSITIVE_INFINITY;
  scales[22] = -1;
  zeros[23] = -0;
  new Uint32Array(zeros.buffer)[24] = 0x7f800001;
  (codes.data as Uint8Array)[25 * 64 + 5] ^= 1;
  await roundTrip([scale, zeroPoint, codes]);
});

test('rows without columns, and of one element', async () => {
  for (const width of [0, 1]) {
    const tensors = quantizedTensors(3000, width, 255, gaussian);
    if ((await codec.encode(tensors)) !== undefined) await roundTrip(tensors);
  }
});

test('the form of floats is corrupt for a quantized table, and the other way round', async () => {
  const tensors = quantizedTensors(100, 40, 255, onGrid);
  const block = await storedBlock(codec, tensors);
  const floats = { name: 'x', ...tensor('float32', [100, 40], new Float32Array(4000).map(onGrid)) };
  const other = await storedBlock(codec, [floats]);
  if (block === undefined || other === undefined) throw new Error('declined');
  await expect(codec.decode(other.bytes, tensors, DEFAULT_LIMITS)).rejects.toMatchObject({ code: 'corrupt' });
  await expect(codec.decode(block.bytes, [floats], DEFAULT_LIMITS)).rejects.toMatchObject({ code: 'corrupt' });
});
