import { readFileSync } from 'node:fs';
import { goldenPath } from '@prune/fixtures';
import { type Elementary, isPruneError, scalar, tensor, writeStore } from '@prune/state-dict';
import * as h5wasm from 'h5wasm';
import { afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { createH5Store } from './create-h5-store.js';
import { openH5Store } from './open-h5-store.js';

/** Every run mutates this many files; PRUNE_FUZZ multiplies. */
const MUTANTS = 3000 * Number(process.env.PRUNE_FUZZ ?? 1);

let ours: Uint8Array;
let h5py: Uint8Array;
let said: ReturnType<typeof vi.spyOn>[];

beforeAll(async () => {
  const writer = await createH5Store(h5wasm, { chunkBytes: 64 });
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
  h5py = await small();
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

/** The same entries as h5wasm's own writer lays them out, in the structures that h5py writes too (version 0, symbol table, heaps). */
async function small(): Promise<Uint8Array> {
  const { FS } = await h5wasm.ready;
  const file = new h5wasm.File('/seed.h5', 'w');
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
  file.close();
  const bytes = (FS as FS.FileSystemType).readFile('/seed.h5');
  (FS as FS.FileSystemType).unlink('/seed.h5');
  return bytes;
}

/** `value` when every entry can be read, or the code of the PruneError; anything else is thrown. */
async function outcome(bytes: Uint8Array): Promise<string> {
  try {
    const store = await openH5Store(h5wasm, bytes, { name: 'mutant.h5' });
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

test('mutated files give a value or a PruneError, and h5wasm lives on', async () => {
  const { HEAPU8 } = await h5wasm.ready;
  const before = HEAPU8.length;
  let state = 20261124;
  const random = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 8) % below;
  };
  const counts: Record<string, number> = {};
  for (let i = 0; i < MUTANTS; i++) {
    const seed = i % 2 ? ours : h5py;
    let mutant = seed.slice();
    if (random(8) === 0) mutant = mutant.slice(0, random(mutant.length));
    for (let flips = 1 + random(3); flips > 0 && mutant.length > 0; flips--) {
      const at = random(mutant.length);
      mutant[at] = random(2) ? random(256) : mutant[at] ^ (1 << random(8));
    }
    const code = await outcome(mutant);
    counts[code] = (counts[code] ?? 0) + 1;
  }
  expect(counts.value).toBeGreaterThan(0);
  expect(counts.corrupt).toBeGreaterThan(0);
  expect(counts.io ?? 0).toBe(0);
  expect((await h5wasm.ready).HEAPU8.length).toBeLessThan(8 * before);
  expect(await outcome(new Uint8Array(readFileSync(goldenPath('tiny/squad_sparse.h5'))))).toBe('value');
}, 600_000);
