import { createHash } from 'node:crypto';
import {
  type Codec,
  DEFAULT_LIMITS,
  DTYPES,
  type Dtype,
  type NamedTensor,
  type TensorData,
  tensor,
  tensorBytes,
} from '@prune/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { randomOf } from '../csr.fixture.js';
import { entropyCodec } from '../entropy-codec.js';
import { blockBytes, floatTable, rowsBack, type StoredBlock, storedBlock, takenRows } from './rows.fixture.js';
import { rowsCodec } from './rows-codec.js';

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();
const codec = rowsCodec({ sha256 });
const random = randomOf(7);
const gaussian = () => random() + random() + random() + random() - 2;
/** Gaussian numbers on a grid of 1/64, -0 replaced. */
const onGrid = (spread = 20) => Math.round(spread * gaussian()) / 64 + 0;

async function encoded(tensors: readonly NamedTensor[], by: Codec = codec): Promise<StoredBlock> {
  const block = await storedBlock(by, tensors);
  if (block === undefined) throw new Error('declined');
  return block;
}

/** Bits of every tensor, whole and by rows in any order; gives the block's length. */
async function roundTrip(tensors: readonly NamedTensor[], rows: readonly number[]): Promise<number> {
  const block = await encoded(tensors);
  const { whole, some } = await rowsBack(codec, block, tensors, rows);
  tensors.forEach((given, i) => {
    expect(whole[i].shape).toEqual(given.shape);
    expect(Buffer.compare(tensorBytes(whole[i]), tensorBytes(given))).toBe(0);
    const taken = takenRows(given, rows);
    expect(some[i].shape).toEqual(taken.shape);
    expect(Buffer.compare(tensorBytes(some[i]), tensorBytes(taken))).toBe(0);
  });
  return block.bytes.length;
}

const someRows = (rows: number) => [rows - 1, 0, 7, 7, rows >> 1, 1];

describe('what is left to the next codec', () => {
  test.each<[string, NamedTensor]>([
    ['no rows', floatTable(0, 8, () => 0)],
    ['no columns', { name: 'x', ...tensor('float32', [100, 0], new Float32Array(0)) }],
    ['63 rows', floatTable(63, 64, onGrid)],
    ['one dimension', { name: 'x', ...tensor('float32', [4096], new Float32Array(4096)) }],
    ['integers', { name: 'x', ...tensor('int32', [100, 8], new Int32Array(800)) }],
  ])('%s', async (_, given) => {
    expect(codec.group?.(given)).toBeUndefined();
    expect(await codec.encode([given])).toBeUndefined();
  });

  test('a table that would grow by more than 3 %, and nothing at all', async () => {
    expect(await codec.encode([])).toBeUndefined();
    const noise = Uint32Array.from({ length: 64 * 4 }, () => 2 ** 32 * random());
    const tiny = { name: 'x', ...tensor('float32', [64, 4], new Float32Array(noise.buffer)) };
    expect(codec.group?.(tiny)).toEqual({ key: tiny.name, size: 1 });
    expect(await codec.encode([tiny])).toBeUndefined();
  });

  test('rows so wide and so equal that they would expand too far', async () => {
    expect(await codec.encode([floatTable(64, 20_000, () => 1)])).toBeUndefined();
  });
});

test('equal elements stay within the expansion', async () => {
  expect(await roundTrip([floatTable(4096, 96, () => 0.5)], someRows(4096))).toBeLessThan(4000);
});

test.each([64, 65, 67, 4096, 4099])('a grid of %d rows, -0 among them', async (rows) => {
  await roundTrip([floatTable(rows, 33, (i) => (i % 57 === 3 ? -0 : onGrid()))], someRows(rows));
});

test('rows on a grid that spread differently around different means', async () => {
  const width = 64;
  const mean = Array.from({ length: width }, () => Math.round(300 * gaussian()) / 64);
  await roundTrip(
    [floatTable(2000, width, (i) => mean[i % width] + onGrid(Math.floor(i / width) % 5 === 0 ? 60 : 10))],
    someRows(2000),
  );
});

test('a grid of as many integers as there may be', async () => {
  await roundTrip([floatTable(500, 64, (i) => ((i * 7919) % 2046) - 300)], someRows(500));
  // Around means that differ they would be more than there may be.
  await roundTrip([floatTable(500, 64, (i) => (i % 2 === 0 ? 0 : 2000) + (i % 997 === 0 ? 1000 : 0))], someRows(500));
});

test.each<[string, Dtype, (i: number) => number]>([
  ['float32', 'float32', () => 0.02 * gaussian()],
  [
    'float32 that float16 holds',
    'float32',
    () => Math.round(1024 + 1023 * random()) * 2 ** (-12 - Math.floor(8 * random())),
  ],
  ['float16', 'float16', () => Math.floor(0x2000 + 4096 * random() ** 2) + (random() < 0.5 ? 0x8000 : 0)],
  ['bfloat16', 'bfloat16', () => Math.floor(0x3c00 + 300 * random() ** 2) + (random() < 0.5 ? 0x8000 : 0)],
])('planes of %s, odd numbers of rows and columns', async (_, dtype, of) => {
  for (const [rows, width] of [
    [129, 77],
    [300, 401],
    [64, 3000],
  ]) {
    const data = new DTYPES[dtype].array(rows * width) as Float32Array<ArrayBuffer>;
    for (let i = 0; i < data.length; i++) data[i] = of(i);
    const given = { name: 'x', ...tensor(dtype, [rows, width], data as TensorData as never) };
    expect(await roundTrip([given], someRows(rows))).toBeLessThan(data.byteLength);
  }
});

test('noise grows by 3 % at most', async () => {
  for (const dtype of ['float32', 'float16', 'bfloat16'] as const) {
    const { array, bytes } = DTYPES[dtype];
    const raw = Uint8Array.from({ length: 300 * 1200 }, () => 256 * random());
    const given = { name: 'x', ...tensor(dtype, [300, 1200 / bytes], new array(raw.buffer) as never) };
    const size = await roundTrip([given], someRows(300));
    expect(size).toBeGreaterThan(raw.length);
    expect(size).toBeLessThan(1.03 * raw.length);
  }
});

test('every special float32 keeps its bits, among numbers on a grid and among others', async () => {
  const special = new Float32Array(
    Uint32Array.of(0x80000000, 1, 0x7f800000, 0xff800000, 0x7fc00001, 0xffa00000, 0x7f7fffff, 0x33800000).buffer,
  );
  for (const of of [onGrid, gaussian]) {
    for (const value of special) {
      const given = floatTable(100, 60, of);
      (given.data as Float32Array)[777] = value;
      await roundTrip([given], [12, 13]);
    }
  }
});

test('a view of memory at an odd address', async () => {
  const given = floatTable(200, 50, onGrid);
  const { bytes } = await encoded([given]);
  const odd = new Uint8Array(bytes.length + 1).subarray(1);
  odd.set(bytes);
  const [back] = await codec.decode(odd, [given], DEFAULT_LIMITS);
  expect(back.data).toEqual(given.data);
});

test('any table of any floats, whole and by any rows', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom<Dtype>('float32', 'float16', 'bfloat16'),
      fc.integer({ min: 64, max: 140 }),
      fc.integer({ min: 16, max: 60 }),
      fc.array(fc.constantFrom(0, 1, 63, 128, 192, 255), { minLength: 1, maxLength: 5 }),
      fc.array(fc.nat(63), { maxLength: 12 }),
      fc.nat(),
      async (dtype, rows, width, alphabet, wanted, seed) => {
        const { array, bytes } = DTYPES[dtype];
        const own = randomOf(seed);
        const raw = Uint8Array.from(
          { length: rows * width * bytes },
          () => alphabet[Math.floor(own() * alphabet.length)],
        );
        const given = { name: 'x', ...tensor(dtype, [rows, width], new array(raw.buffer) as never) };
        if ((await codec.encode([given])) !== undefined) await roundTrip([given], wanted);
      },
    ),
    { numRuns: 60 },
  );
});

test('the portable SHA-256 and that of the host give equal bytes, twice', async () => {
  const given = [floatTable(300, 64, onGrid)];
  const { bytes } = await encoded(given);
  expect((await encoded(given, rowsCodec())).bytes).toEqual(bytes);
  expect((await encoded(given)).bytes).toEqual(bytes);
});

test('a large table takes at most 3 % more than codec entropy', async () => {
  const width = 384;
  const mean = Array.from({ length: width }, () => Math.round(30 * gaussian()) / 256);
  const given = floatTable(1500, width, (i) => mean[i % width] + Math.round(60 * gaussian()) / 256 + 0);
  const entropy = await storedBlock(entropyCodec(), [given]);
  expect((await encoded([given])).bytes.length / (entropy?.bytes.length ?? 0)).toBeLessThan(1.03);
});

describe('rows alone', () => {
  const rows = 1000;
  const table = [floatTable(rows, 100, onGrid)];

  test('read the directory once, then their groups once each, in order; hashes only when they are checked', async () => {
    const block = await encoded(table);
    const [hashBytes, directoryBytes] = block.parts;
    const reads: number[][] = [];
    const select = await codec.selectRows?.(blockBytes(block, { reads }), table, DEFAULT_LIMITS);
    const directory = [block.bytes.length - directoryBytes, block.bytes.length];
    expect(reads).toEqual([directory]);
    await select?.([500, 3, 500, 2]);
    expect(reads.length).toBe(3);
    expect(reads[1][0]).toBeLessThan(reads[2][0]);
    for (const [start, end] of reads.slice(1)) expect(end - start).toBeLessThan(1500);
    expect((await select?.([]))?.[0].shape).toEqual([0, 100]);
    expect(reads.length).toBe(3);

    const checked: number[][] = [];
    const again = await codec.selectRows?.(blockBytes(block, { reads: checked, sha256 }), table, DEFAULT_LIMITS);
    expect(checked).toEqual([directory, [directory[0] - hashBytes, directory[0]]]);
    expect((await again?.([999]))?.[0].data).toEqual(takenRows(table[0], [999]).data);
  });

  test('a row that there is not', async () => {
    const select = await codec.selectRows?.(blockBytes(await encoded(table)), table, DEFAULT_LIMITS);
    for (const row of [-1, rows, 0.5, Number.NaN]) {
      await expect(select?.([0, row])).rejects.toMatchObject({ code: 'invalid-argument' });
    }
  });

  test('more rows than the limits allow', async () => {
    const limits = { ...DEFAULT_LIMITS, tensorBytes: 4000 };
    const select = await codec.selectRows?.(blockBytes(await encoded(table)), table, limits);
    expect((await select?.(new Uint8Array(10)))?.[0].shape).toEqual([10, 100]);
    await expect(select?.(new Uint8Array(11))).rejects.toMatchObject({ code: 'limit' });
  });

  test('a damaged group is found by its CRC-32, and one with another CRC-32 by its hash', async () => {
    const block = await encoded(table);
    const damaged = { ...block, bytes: block.bytes.slice() };
    damaged.bytes[20] ^= 4;
    const select = await codec.selectRows?.(blockBytes(damaged), table, DEFAULT_LIMITS);
    await expect(select?.([0])).rejects.toMatchObject({ code: 'corrupt', message: expect.stringContaining('CRC-32') });
    expect((await select?.([rows - 1]))?.[0].data).toEqual(takenRows(table[0], [rows - 1]).data);
    const hashes = block.bytes.length - block.parts[0] - block.parts[1];
    const otherHash = { ...block, bytes: block.bytes.slice() };
    otherHash.bytes[hashes] ^= 1;
    const checking = await codec.selectRows?.(blockBytes(otherHash, { sha256 }), table, DEFAULT_LIMITS);
    await expect(checking?.([0])).rejects.toMatchObject({
      code: 'corrupt',
      message: expect.stringContaining('SHA-256'),
    });
  });

  test('an aborted signal reaches the store', async () => {
    const block = blockBytes(await encoded(table));
    const seen: unknown[] = [];
    const read = (ranges: Parameters<typeof block.read>[0], signal?: AbortSignal) => {
      seen.push(signal);
      return block.read(ranges);
    };
    const select = await codec.selectRows?.({ ...block, read }, table, DEFAULT_LIMITS);
    const { signal } = new AbortController();
    await select?.([1], signal);
    expect(seen).toEqual([signal]);
  });
});

test('a block of something else', async () => {
  const { bytes, parts } = await encoded([floatTable(100, 50, onGrid)]);
  const infos = [floatTable(100, 49, onGrid)];
  for (const wrong of [[], infos, [floatTable(10, 50, onGrid)], [floatTable(6000, 50, onGrid)]]) {
    await expect(codec.decode(bytes, wrong, DEFAULT_LIMITS)).rejects.toMatchObject({ code: 'corrupt' });
    await expect(
      codec.selectRows?.(blockBytes({ bytes, parts }), wrong, DEFAULT_LIMITS).then((select) => select?.([0])),
    ).rejects.toMatchObject({ code: 'corrupt' });
  }
});
