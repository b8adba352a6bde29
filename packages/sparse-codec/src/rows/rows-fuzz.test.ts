import { crc32, DEFAULT_LIMITS, isPruneError, type NamedTensor, tensor } from '@prune/core';
import { expect, test } from 'vitest';
import { randomOf } from '../csr.fixture.js';
import { floatTable, quantizedTensors, type StoredBlock, storedBlock, blockBytes as storeOf } from './rows.fixture.js';
import { rowsCodec } from './rows-codec.js';

/** PRUNE_FUZZ multiplies the number of mutated blocks. */
const MUTANTS = 3000 * Number(process.env.PRUNE_FUZZ ?? 1);

const codec = rowsCodec();
const random = randomOf(41);
const pick = (below: number) => Math.floor(below * random());
const gaussian = () => random() + random() + random() + random() - 2;
const onGrid = () => Math.round(20 * gaussian()) / 64 + 0;

const tables: NamedTensor[][] = [
  [floatTable(70, 40, onGrid)],
  [floatTable(70, 300, onGrid)],
  [floatTable(90, 30, gaussian)],
  [
    {
      name: 'x',
      ...tensor(
        'float16',
        [80, 50],
        new Uint16Array(4000).map(() => 0x3000 + pick(500)),
      ),
    },
  ],
  quantizedTensors(80, 40, 255, onGrid),
  quantizedTensors(80, 40, 15, onGrid),
  quantizedTensors(80, 40, 255, (i) => (Math.floor(i / 40) % 3 === 0 ? gaussian() : onGrid())),
];

async function blocksOf(): Promise<StoredBlock[]> {
  const blocks: StoredBlock[] = [];
  for (const tensors of tables) {
    const block = await storedBlock(codec, tensors);
    if (block === undefined) throw new Error('declined');
    blocks.push(block);
  }
  return blocks;
}

/** One to three changes in `[start, end)` of a copy: a bit, a byte, or a byte that becomes its neighbour. */
function changed(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const out = bytes.slice();
  for (let changes = 1 + pick(3); changes > 0; changes--) {
    const at = start + pick(end - start);
    if (pick(3) === 0) out[at] ^= 1 << pick(8);
    else out[at] = pick(2) === 0 ? [0, 1, 127, 128, 255][pick(5)] : pick(256);
  }
  return out;
}

/** The mutants' outcome: decoded tensors of the declared lengths, or `corrupt`; anything else fails the test. */
async function isRefused(
  decode: () => Promise<readonly { readonly data: { readonly length: number } }[]>,
  lengths: number[],
) {
  try {
    const tensors = await decode();
    expect(tensors.map(({ data }) => data.length)).toEqual(lengths);
    return false;
  } catch (error) {
    if (isPruneError(error) && error.code === 'corrupt') return true;
    throw error;
  }
}

const lengthsOf = (tensors: readonly NamedTensor[]) => tensors.map(({ data }) => data.length);

test('mutated directories, groups and lengths of a block: corrupt, or the declared tensors, each within 2 s', async () => {
  const blocks = await blocksOf();
  let refused = 0;
  let slowest = 0;
  for (let i = 0; i < MUTANTS; i++) {
    const tensors = tables[i % tables.length];
    const { bytes, parts } = blocks[i % tables.length];
    const directory = bytes.length - parts[1];
    // Half of the changes hit the directory, a third of those its head.
    const [start, end] =
      pick(2) === 0
        ? [0, directory - parts[0]]
        : pick(3) === 0
          ? [directory, directory + 12]
          : [directory, bytes.length];
    let mutant = changed(bytes, start, end);
    if (pick(8) === 0) mutant = mutant.slice(0, pick(bytes.length));
    const before = performance.now();
    if (await isRefused(() => Promise.resolve(codec.decode(mutant, tensors, DEFAULT_LIMITS)), lengthsOf(tensors)))
      refused++;
    slowest = Math.max(slowest, performance.now() - before);
  }
  expect(refused).toBeGreaterThan(0.6 * MUTANTS);
  expect(refused).toBeLessThan(MUTANTS);
  expect(slowest).toBeLessThan(2000);
});

test('mutated blocks whose checksums fit, read by rows: corrupt, or rows of the declared lengths', async () => {
  const blocks = await blocksOf();
  let refused = 0;
  for (let i = 0; i < MUTANTS / 3; i++) {
    const tensors = tables[i % tables.length];
    const { bytes, parts } = blocks[i % tables.length];
    const directory = bytes.length - parts[1];
    const mutant = pick(2) === 0 ? changed(bytes, 0, directory - parts[0]) : changed(bytes, directory, bytes.length);
    const store = storeOf({ bytes: mutant, parts });
    const forged = {
      ...store,
      // Every group with the CRC-32 that it should have, whatever its bytes.
      read: async (ranges: Parameters<typeof store.read>[0]) => {
        const groups = await store.read(ranges);
        for (const group of groups) {
          if (group.length < 4) continue;
          new DataView(group.buffer).setUint32(group.length - 4, crc32(group.subarray(0, -4)), true);
        }
        return groups;
      },
    };
    const rows = [pick(70), pick(70), 69];
    const lengths = tensors.map(({ shape }) => (rows.length * shape.reduce((a, b) => a * b)) / shape[0]);
    const read = async () => {
      const select = await codec.selectRows?.(forged, tensors, DEFAULT_LIMITS);
      if (select === undefined) throw new Error('no rows');
      return select(rows);
    };
    if (await isRefused(read, lengths)) refused++;
  }
  expect(refused).toBeGreaterThan((0.2 * MUTANTS) / 3);
  expect(refused).toBeLessThan(MUTANTS / 3);
});

test('a store that hands out other bytes than it was asked for', async () => {
  const [tensors, block] = [tables[0], (await blocksOf())[0]];
  const store = storeOf(block);
  for (const wrong of [
    { ...store, parts: [block.parts[1]] },
    { ...store, parts: [block.parts[0] + 2, block.parts[1]] },
    { ...store, length: store.length + 2 },
    { ...store, read: async () => [] },
    { ...store, read: async () => [new Uint8Array(3)] },
    { ...store, part: async () => new Uint8Array(2) },
  ]) {
    const read = async () => (await codec.selectRows?.(wrong, tensors, DEFAULT_LIMITS))?.([0]);
    await expect(read()).rejects.toMatchObject({ code: 'corrupt' });
  }
});

test('bytes that no group owns, and a coder that does not end where it began', async () => {
  const [tensors, { bytes, parts }] = [tables[0], (await blocksOf())[0]];
  const directory = bytes.length - parts[1];
  for (const at of [directory, directory - parts[0]]) {
    const longer = Uint8Array.from([...bytes.subarray(0, at), 0, 0, ...bytes.subarray(at)]);
    await expect(codec.decode(longer, tensors, DEFAULT_LIMITS)).rejects.toMatchObject({ code: 'corrupt' });
  }
  // Rows of raw bytes only: a group has no symbol that its state could change with.
  const noise = Uint8Array.from({ length: 64 * 1200 }, () => pick(256));
  const raw = [{ name: 'x', ...tensor('float16', [64, 600], new Uint16Array(noise.buffer)) }];
  const block = await storedBlock(codec, raw);
  if (block === undefined) throw new Error('declined');
  expect((await codec.decode(block.bytes, raw, DEFAULT_LIMITS))[0].data).toEqual(raw[0].data);
  block.bytes[1202] ^= 1;
  await expect(codec.decode(block.bytes, raw, DEFAULT_LIMITS)).rejects.toMatchObject({ code: 'corrupt' });
});

test('a directory that promises much is refused before memory is taken', async () => {
  const infos = [{ name: 'x', dtype: 'float32' as const, shape: [2 ** 20, 500] }];
  // form, rows of a group, least length / 2, bits of a length, numbers of the form, bytes of the tables
  for (const head of [
    [0, 1, 4, 4, 8, 0, 255, 15, 0, 8, 0],
    [0, 255, 255, 63, 4, 0, 8, 0, 255, 15, 0, 8, 0],
    [1, 1, 255, 255, 255, 255, 15, 0, 0, 15, 0],
    [2, 255, 255, 255, 15, 4, 0, 0, 1, 0, 0],
  ]) {
    const bytes = Uint8Array.from([...head, head.length + 4, 0, 0, 0]);
    const before = process.memoryUsage().arrayBuffers;
    await expect(codec.decode(bytes, infos, DEFAULT_LIMITS)).rejects.toMatchObject({ code: 'corrupt' });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1e6);
  }
});
