import { readFileSync } from 'node:fs';
import {
  type Elementary,
  firstDifference,
  isPruneError,
  PruneError,
  scalar,
  type TensorStore,
  tensor,
  writeStore,
} from '@prune/core';
import { goldenPath } from '@prune/fixtures';
import * as h5wasm from 'h5wasm';
import { afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { openHdf5 } from '../test/open-hdf5.js';
import { createH5Store } from './create-h5-store.js';
import { lookup3 } from './format/lookup3.js';
import { openH5Store } from './open-h5-store.js';

/** Every run mutates this many files; PRUNE_FUZZ multiplies. */
const FUZZ = Math.max(1, Number(process.env.PRUNE_FUZZ ?? 1));
const MUTANTS = 3000 * FUZZ;

let ours: Uint8Array;
let others: Uint8Array[];
/** Of each of these files, the places of its structures that end in a checksum. */
let sums: Map<Uint8Array, { start: number; end: number }[]>;
let said: ReturnType<typeof vi.spyOn>[];

beforeAll(async () => {
  const writer = await createH5Store({ chunkBytes: 64 });
  await writeStore(
    writer,
    new Map<string, Elementary>([
      ['a.int_repr.data', tensor('int8', [40], new Int8Array(40).fill(3))],
      [
        'a.int_repr.indices',
        tensor(
          'uint16',
          [200],
          new Uint16Array(200).map((_, i) => i),
        ),
      ],
      ['a.int_repr.shape', tensor('int64', [2], BigInt64Array.of(8n, 5n))],
      ['a.scale', scalar('float64', 0.5)],
      ['a.dtype', 'qint8'],
    ]),
    {},
  );
  ours = writer.bytes().slice();
  others = [await small('earliest'), await small('v200'), await small('v200', 12)];
  sums = new Map([ours, ...others].map((seed) => [seed, checksummed(seed)]));
});
beforeEach(() => {
  said = [vi.spyOn(console, 'error').mockReturnValue(), vi.spyOn(process.stderr, 'write').mockReturnValue(true)];
});
afterEach(() => {
  // HDF5's error stack stays out of the terminal.
  for (const spy of said) {
    expect(spy.mock.calls).toEqual([]);
    spy.mockRestore();
  }
});

/**
 * Like entries as HDF5's own writer lays them out: `earliest` is what h5py writes (superblock 0, symbol table, local
 * heap), `v200` the newest. Of 12 more links and attributes, the newest makes fractal heaps and version 2 B-trees.
 */
async function small(libver: 'earliest' | 'v200', more = 0): Promise<Uint8Array> {
  const { FS } = await h5wasm.ready;
  const file = new h5wasm.File('/seed.h5', 'w', { libver: [libver, 'v200'] });
  const indices = new Uint16Array(60).map((_, i) => i);
  file.create_dataset({
    name: 'a.indices',
    data: indices,
    shape: [60],
    chunks: [30],
    compression: 'gzip',
    compression_opts: 9,
  });
  file.create_dataset({ name: 'a.bias', data: new Float32Array(5), shape: [5] });
  file.create_attribute('a.scale', 0.5, [], '<d');
  file.create_attribute('a.dtype', 'qint8');
  for (let i = 0; i < more; i++) {
    file.create_hard_link('a.bias', `b${i}`);
    file.create_attribute(`s${i}`, i, [], '<d');
  }
  file.close();
  const bytes = (FS as FS.FileSystemType).readFile('/seed.h5');
  (FS as FS.FileSystemType).unlink('/seed.h5');
  return bytes;
}

const openEither = (bytes: Uint8Array) => openH5Store(h5wasm, bytes, { name: 'mutant.h5' });

const openHdf5Alone = (bytes: Uint8Array) => openHdf5(bytes, 'mutant.h5');

/** The own reader alone; what it does not know is `unsupported`. */
async function openOwn(bytes: Uint8Array): Promise<TensorStore> {
  const source = () => {
    throw new PruneError('unsupported', { where: 'mutant.h5', what: 'left to HDF5' });
  };
  return openH5Store(source, bytes, { name: 'mutant.h5' });
}

/** `value` when every entry can be read, or the code of the PruneError; anything else is thrown. */
async function outcome(bytes: Uint8Array, open = openEither): Promise<string> {
  try {
    const store = await open(bytes);
    try {
      for (const name of store.keys()) await store.get(name);
      return 'value';
    } finally {
      await store.close();
    }
  } catch (error) {
    if (!isPruneError(error)) throw error;
    expect(error.where).toBe('mutant.h5');
    return error.code;
  }
}

test('no bytes, and bytes that are no HDF5 file', async () => {
  expect(await outcome(new Uint8Array())).toBe('corrupt');
  expect(await outcome(new TextEncoder().encode('PK\u0003\u0004'.repeat(100)))).toBe('corrupt');
});

test('every truncation of our file is an error', async () => {
  for (let length = 0; length < ours.length; length += 13) expect(await outcome(ours.slice(0, length))).toBe('corrupt');
  expect(await outcome(ours.slice())).toBe('value');
});

test('a string heap in which HDF5 would walk for ever is refused before HDF5 sees it', async () => {
  for (const seed of [ours, ...others]) {
    const at = Buffer.from(seed).indexOf('GCOL');
    expect(seed[at + 16]).toBe(1);
    // The first object: index 0 at +16, its size in 8 bytes at +24. A free object of no bytes, and a step that wraps to nothing in 32 bits.
    for (const [index, size] of [
      [0, 0],
      [1, 0xffff_fff0],
      [1, 0xffff_ffe0],
    ]) {
      const mutant = seed.slice();
      const view = new DataView(mutant.buffer, at + 16);
      view.setUint16(0, index, true);
      view.setUint32(8, size, true);
      expect(await outcome(mutant)).toBe('corrupt');
    }
  }
});

test('a string that claims to be longer than the file is refused before HDF5 takes memory for it', async () => {
  const before = (await h5wasm.ready).HEAPU8.length;
  // The old object header has no checksum that would catch it: the string's length stands in front of its heap's address.
  const mutant = others[0].slice();
  const reference = new DataView(new ArrayBuffer(12));
  reference.setUint32(0, 'qint8'.length, true);
  reference.setBigUint64(4, BigInt(Buffer.from(mutant).indexOf('GCOL')), true);
  const at = Buffer.from(mutant).indexOf(new Uint8Array(reference.buffer));
  expect(at).toBeGreaterThan(0);
  mutant[at + 3] = 0x70;
  await expect(openH5Store(h5wasm, mutant)).rejects.toMatchObject({ code: 'corrupt', tensor: 'a.dtype' });
  expect((await h5wasm.ready).HEAPU8.length).toBe(before);
});

test('structures that point at themselves end', async () => {
  const { FS } = await h5wasm.ready;
  const file = new h5wasm.File('/seed.h5', 'w', { libver: ['earliest', 'v200'] });
  for (let i = 0; i < 200; i++) file.create_dataset({ name: `a.${i}`, data: new Float32Array(3), shape: [3] });
  for (let i = 0; i < 200; i++) file.create_attribute(`s.${i}`, i / 3, [], '<d');
  file.close();
  const seed = (FS as FS.FileSystemType).readFile('/seed.h5');
  (FS as FS.FileSystemType).unlink('/seed.h5');
  expect(await outcome(seed, openOwn)).toBe('value');

  // The root's B-tree, twice as deep as it is, is its own child.
  const tree = seed.slice();
  const at = Buffer.from(seed).indexOf('TREE');
  const view = new DataView(tree.buffer, at);
  view.setUint8(5, 200);
  view.setBigUint64(32, BigInt(at), true);
  expect(await outcome(tree, openOwn)).toBe('unsupported');

  // The root's header goes on where it has been: type 16, 16 bytes, no flags.
  const header = seed.slice();
  const message = Buffer.from(seed).indexOf(Buffer.from([16, 0, 16, 0, 0, 0, 0, 0]));
  const block = new DataView(header.buffer, message + 8);
  const [to, length] = [Number(block.getBigUint64(0, true)), Number(block.getBigUint64(8, true))];
  expect(to + length).toBeLessThanOrEqual(seed.length);
  header.copyWithin(to, message, message + 24);
  expect(await outcome(header, openOwn)).toBe('unsupported');
});

/** Signatures of structures that end in HDF5's checksum of what is before it. */
const SIGNATURES = [
  'OHDR',
  'OCHK',
  'FRHP',
  'FHDB',
  'FHIB',
  'BTHD',
  'BTIN',
  'BTLF',
  'FSHD',
  'FAHD',
  'FADB',
  'EAHD',
  '\x89HDF',
];

/** Where a signature begins, and the first place behind it at which the checksum is right. */
function checksummed(bytes: Uint8Array): { start: number; end: number }[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found: { start: number; end: number }[] = [];
  for (const signature of SIGNATURES) {
    for (let start = buffer.indexOf(signature, 0, 'latin1'); start !== -1; ) {
      for (let end = start + 8; end + 4 <= bytes.byteLength; end++) {
        if (lookup3(bytes.subarray(start, end)) !== buffer.readUInt32LE(end)) continue;
        found.push({ start, end });
        break;
      }
      start = buffer.indexOf(signature, start + 1, 'latin1');
    }
  }
  return found;
}

/** Makes the checksums of the seed's structures right again, so that what was changed gets past them. */
function repair(mutant: Uint8Array, seed: Uint8Array) {
  const view = new DataView(mutant.buffer, mutant.byteOffset, mutant.byteLength);
  for (const { start, end } of sums.get(seed) ?? []) {
    if (end + 4 <= mutant.length) view.setUint32(end, lookup3(mutant.subarray(start, end)), true);
  }
}

test('the structures of the newest form are found by their checksums', () => {
  const counts = [ours, ...others].map((seed) => sums.get(seed)?.length);
  expect(counts.map((count) => (count ?? 0) > 0)).toEqual([true, false, true, true]);
});

/**
 * Files with some bytes changed, or cut off; the same in every run. With `repairs`, every second one has its checksums
 * made right, and most of those are changed only inside structures that have one. Those are not for HDF5: one in some
 * thousands makes version 2.0 read outside its memory, or write where a later call loops for ever.
 */
function* mutants(count: number, repairs: boolean): Generator<Uint8Array> {
  let state = 20261124;
  const random = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 8) % below;
  };
  for (let i = 0; i < count; i++) {
    const seed = i % 2 ? ours : others[(i / 2) % others.length];
    const structures = sums.get(seed) ?? [];
    const repaired = repairs && random(2) === 0;
    let mutant = seed.slice();
    if (random(8) === 0) mutant = mutant.slice(0, random(mutant.length));
    for (let flips = 1 + random(3); flips > 0 && mutant.length > 0; flips--) {
      const within = repaired && structures.length > 0 && random(4) > 0;
      const { start, end } = within ? structures[random(structures.length)] : { start: 0, end: mutant.length };
      const at = Math.min(start + random(end - start), mutant.length - 1);
      mutant[at] = random(2) ? random(256) : mutant[at] ^ (1 << random(8));
    }
    if (repaired) repair(mutant, seed);
    yield mutant;
  }
}

test(
  'mutated files give a value or a PruneError, and h5wasm lives on',
  async () => {
    const { HEAPU8 } = await h5wasm.ready;
    const before = HEAPU8.length;
    const counts: Record<string, number> = {};
    for (const mutant of mutants(MUTANTS, false)) {
      const code = await outcome(mutant, openHdf5Alone);
      counts[code] = (counts[code] ?? 0) + 1;
    }
    expect(counts.value).toBeGreaterThan(0);
    expect(counts.corrupt).toBeGreaterThan(0);
    expect(counts.io ?? 0).toBe(0);
    // HDF5 leaks where it fails: some 25 KB a mutant.
    expect((await h5wasm.ready).HEAPU8.length).toBeLessThan(8 * FUZZ * before);
    expect(await outcome(new Uint8Array(readFileSync(goldenPath('tiny/squad_sparse.h5'))))).toBe('value');
  },
  600_000 * FUZZ,
);

test(
  'the own reader gives an error or leaves a mutated file to HDF5, or reads the values that HDF5 reads',
  async () => {
    const counts: Record<string, number> = {};
    let compared = 0;
    for (const mutant of mutants(MUTANTS, true)) {
      const code = await outcome(mutant, openOwn);
      counts[code] = (counts[code] ?? 0) + 1;
      if (code !== 'value') continue;
      // HDF5 looks at more, and may refuse the file or a value; where a list of names fails, h5wasm gives it shorter.
      const hdf5 = await openHdf5(mutant).catch(() => undefined);
      if (hdf5 === undefined) continue;
      const own = await openOwn(mutant);
      for (const name of hdf5.keys()) {
        const value = await hdf5.get(name).catch(() => undefined);
        if (value === undefined) continue;
        const difference = await firstDifference(new Map([[name, value]]), { keys: () => [name], get: own.get });
        expect(difference).toBeUndefined();
        compared++;
      }
      await hdf5.close();
    }
    expect(Object.keys(counts).sort()).toEqual(['corrupt', 'limit', 'unsupported', 'value']);
    expect(compared).toBeGreaterThan(MUTANTS);
  },
  600_000 * FUZZ,
);
