import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import {
  DEFAULT_LIMITS,
  DTYPES,
  type Elementary,
  entriesOf,
  firstDifference,
  isPruneError,
  memorySink,
  scalar,
  type Tensor,
  type TensorStore,
  tensor,
  writeStore,
} from '@prune/core';
import { goldenPath } from '@prune/fixtures';
import fc from 'fast-check';
import * as h5wasm from 'h5wasm';
import { afterAll, expect, test } from 'vitest';
import { openHdf5 } from '../test/open-hdf5.js';
import { createH5Store } from './create-h5-store.js';
import { createH5File, openH5File } from './node.js';
import { openH5Store } from './open-h5-store.js';
import { memoryBytes } from './read/file-bytes.js';
import { fileIndex } from './read/file-index.js';
import { budgetedFile } from './read/read-budget.js';
import type { Chunk, ChunkedStorage } from './read/read-storage.js';
import { writeH5 } from './write/write-h5.js';

const folder = mkdtempSync(join(tmpdir(), 'prune-h5-'));
afterAll(() => rmSync(folder, { recursive: true }));

const neverAsked = () => {
  throw new Error('HDF5 was asked');
};

/** The own reader alone: HDF5 is not there to fall back on. */
const openOwn = (bytes: Uint8Array): Promise<TensorStore> => openH5Store(neverAsked, bytes, { name: 'file.h5' });

function chunksOf(bytes: Uint8Array, name: string): readonly Chunk[] {
  const { storage } = fileIndex(budgetedFile(memoryBytes(bytes), DEFAULT_LIMITS), 'file.h5')!.get(name)!;
  return (storage as ChunkedStorage).chunks;
}

async function expectEqual(bytes: Uint8Array): Promise<void> {
  const [own, hdf5] = [await openOwn(bytes), await openHdf5(bytes)];
  expect([...own.keys()]).toEqual([...hdf5.keys()]);
  expect(await firstDifference(hdf5, own)).toBeUndefined();
  for (const name of own.keys()) {
    // What HDF5 says of a string is what it takes in memory.
    if (own.info(name)?.dtype !== 'string') expect(own.info(name)).toEqual(hdf5.info(name));
  }
  await hdf5.close();
}

type Writes = (file: InstanceType<typeof h5wasm.File>) => void;

/** A file that HDF5's own writer made: `earliest` is what h5py writes, `v200` the newest. */
async function written(writes: Writes, libver: 'earliest' | 'v108' | 'v200' = 'earliest'): Promise<Uint8Array> {
  const { FS } = (await h5wasm.ready) as unknown as { FS: FS.FileSystemType };
  const file = new h5wasm.File('/own.h5', 'w', { libver: [libver, 'v200'] });
  writes(file);
  file.close();
  const bytes = FS.readFile('/own.h5');
  FS.unlink('/own.h5');
  return bytes;
}

test('a file without entries, of either writer', async () => {
  const writer = await createH5Store();
  await writeStore(writer, [], {});
  await expectEqual(writer.bytes());
  await expectEqual(await written(() => {}));
});

test.each([
  'tiny/squad_sparse',
  'tiny/squad_sparse_with_embs',
  'narrow/squad_sparse',
  'narrow/squad_sparse_with_embs',
  'base/squad_sparse',
])("%s is what HDF5 reads, as h5py's file and as ours", async (name) => {
  const bytes = new Uint8Array(readFileSync(goldenPath(`${name}.h5`)));
  await expectEqual(bytes);
  const path = join(folder, 'written.h5');
  const writer = await createH5File(path, { force: true });
  await writeStore(writer, entriesOf(await openOwn(bytes)), {});
  await expectEqual(new Uint8Array(readFileSync(path)));
});

const numbers = (length: number, step = 1) => Float32Array.from({ length }, (_, i) => i * step);

test('any shapes in any chunks, as HDF5 writes them', async () => {
  const dimension = fc.integer({ min: 1, max: 9 });
  const sizes = fc.array(fc.tuple(dimension, dimension), { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(sizes, fc.constantFrom<'gzip' | undefined>('gzip', undefined), async (pairs, compression) => {
      const shape = pairs.map(([size]) => size);
      const chunks = pairs.map(([size, chunk]) => Math.min(size, chunk));
      const count = shape.reduce((a, b) => a * b, 1);
      const filter = compression && { compression, compression_opts: 4 };
      const bytes = await written((file) => {
        file.create_dataset({ name: 'f', data: numbers(count), shape, chunks, ...filter });
        file.create_dataset({ name: 'h', data: Uint16Array.from(numbers(count)), shape, chunks, ...filter });
        file.create_dataset({ name: 'plain', data: numbers(count, 0.5), shape });
      });
      await expectEqual(bytes);
    }),
    { numRuns: 60 },
  );
});

test('chunks with shuffled bytes of every width, whole runs and rows', async () => {
  const entries = new Map<string, Elementary>();
  for (const dtype of ['uint8', 'uint16', 'int32', 'float64', 'int64'] as const) {
    const { array, bytes } = DTYPES[dtype];
    for (const shape of [[997], [13, 77], [3, 5, 70]]) {
      const count = shape.reduce((a, b) => a * b, 1);
      const raw = Uint8Array.from({ length: count * bytes }, (_, i) => (i * i) >>> 3);
      entries.set(`${dtype} ${shape}`, tensor(dtype, shape, new array(raw.buffer)));
    }
  }
  for (const chunkBytes of [64, 1000, 2 ** 20]) {
    const writer = await createH5Store({ chunkBytes });
    await writeStore(writer, entries, {});
    await expectEqual(writer.bytes());
    expect(await firstDifference(entries, await openOwn(writer.bytes()))).toBeUndefined();
  }
});

test('large chunks, inflated beside each other', async () => {
  const path = join(folder, 'large.h5');
  const rows = 260;
  const table = Float32Array.from({ length: rows * 1000 }, (_, i) => Math.imul(i, i) >> 7);
  const writer = await createH5File(path, { chunkBytes: 80_000 });
  await writeStore(writer, new Map([['table', tensor('float32', [rows, 1000], table)]]), {});
  const ours = readFileSync(path);
  expect(chunksOf(ours, 'table').length).toBe(13);
  // HDF5's chunks are no runs here.
  const theirs = await written((file) => {
    const rest = { shape: [rows, 1000], chunks: [100, 300], compression: 'gzip' as const, compression_opts: 1 };
    file.create_dataset({ name: 'table', data: table, ...rest });
  });
  // A chunk that is not deflated, as its key in the index says: bytes, and the second filter left out.
  const sink = memorySink();
  let asItIs = true;
  const writing = await writeH5(sink, path, { chunkBytes: 80_000 }, (planes) => {
    asItIs = !asItIs;
    return asItIs ? planes.slice() : deflateSync(planes);
  });
  await writing.put('table', tensor('float32', [rows, 1000], table));
  await writing.finish();
  const mixed = Buffer.from(sink.bytes());
  const key = Buffer.from(Uint32Array.of(80_000, 0).buffer);
  for (let at = mixed.indexOf(key); at !== -1; at = mixed.indexOf(key, at)) mixed.writeUInt32LE(2, at + 4);
  expect(chunksOf(mixed, 'table').filter(({ mask }) => mask === 2).length).toBe(6);
  for (const bytes of [ours, theirs, mixed]) {
    writeFileSync(path, bytes);
    const [file, hdf5] = [await openH5File(neverAsked, path), await openHdf5(Uint8Array.from(bytes))];
    expect(await firstDifference(hdf5, file)).toBeUndefined();
    expect((await file.get('table')) as Tensor).toMatchObject({ data: table });
    await file.close();
    await hdf5.close();
  }

  // A chunk in the middle is damaged; and a store is closed while a tensor is read.
  writeFileSync(path, ours);
  const closing = await openH5File(neverAsked, path);
  const reading = closing.get('table');
  await closing.close();
  await expect(reading).rejects.toMatchObject({ code: 'invalid-argument', where: path, tensor: 'table' });
  ours[chunksOf(ours, 'table')[7].address + 100] ^= 8;
  writeFileSync(path, ours);
  const damaged = await openH5File(neverAsked, path);
  await expect(damaged.get('table')).rejects.toMatchObject({ code: 'corrupt', where: path, tensor: 'table' });
  await damaged.close();
});

test('many names, in a tree of symbol table nodes, and many attributes, in continued headers', async () => {
  await expectEqual(
    await written((file) => {
      for (let i = 0; i < 700; i++) file.create_dataset({ name: `layer.${i}.bias`, data: numbers(2), shape: [2] });
      for (let i = 0; i < 500; i++) file.create_attribute(`layer.${i}.scale`, i / 7, [], '<d');
      for (let i = 0; i < 300; i++) file.create_attribute(`layer.${i}.dtype`, 'qint8'.repeat(1 + (i % 40)));
    }),
  );
});

test('what a deflate that saves nothing leaves as it is', async () => {
  // HDF5 stores a chunk without the filter then, and says so in its mask.
  const noise = Uint8Array.from({ length: 64 }, (_, i) => Math.imul(i + 1, 2654435761) >>> 13);
  const bytes = await written((file) => {
    const rest = { shape: [64], chunks: [16], compression: 'gzip' as const, compression_opts: 9 };
    file.create_dataset({ name: 'noise', data: noise, ...rest });
    file.create_dataset({ name: 'half', data: noise.map((byte, i) => (i < 32 ? 0 : byte)), ...rest });
  });
  await expectEqual(bytes);
});

/** Files with something that the own reader leaves to HDF5, which reads them. */
const LEFT: Record<string, [Writes, ('earliest' | 'v200')?]> = {
  'the newest structures': [
    (file) => file.create_dataset({ name: 'a', data: numbers(9), chunks: [4], shape: [9] }),
    'v200',
  ],
  'chunks that were never written': [
    (file) => {
      file.create_dataset({ name: 'a', data: numbers(9), shape: [9], chunks: [4], maxshape: [null] });
      (file.get('a') as InstanceType<typeof h5wasm.Dataset>).resize([40]);
    },
  ],
  'a string of fixed length': [(file) => file.create_attribute('a', 'qint8', [], 'S5')],
};

test.each(Object.entries(LEFT))('%s: HDF5 is asked', async (_, [writes, libver]) => {
  const bytes = await written(writes, libver);
  await expect(openOwn(bytes)).rejects.toMatchObject({ code: 'io', where: 'file.h5' });
  let asked = 0;
  const store = await openH5Store(() => {
    asked++;
    return h5wasm;
  }, bytes);
  expect(asked).toBe(1);
  const hdf5 = await openHdf5(bytes);
  expect(await firstDifference(hdf5, store)).toBeUndefined();
  await store.close();
  await hdf5.close();
});

test('a chunk that is damaged is told by the name of its tensor, others are read', async () => {
  const entries = new Map<string, Elementary>([
    ['a', tensor('uint16', [500], Uint16Array.from(numbers(500)))],
    ['b', tensor('uint16', [500], Uint16Array.from(numbers(500, 3)))],
    ['c', scalar('float32', 7)],
  ]);
  const writer = await createH5Store();
  await writeStore(writer, entries, {});
  const bytes = writer.bytes().slice();
  const [{ address, bytes: length }] = chunksOf(bytes, 'a');
  expect(length).toBeGreaterThan(100);
  const store = await openOwn(bytes);
  // Every bit of the stream, its header and checksum included; those between its last code and the end of its byte say nothing.
  let unseen = 0;
  for (let bit = 0; bit < 8 * length; bit++) {
    bytes[address + (bit >> 3)] ^= 1 << (bit & 7);
    const value = await store.get('a').catch((error) => error);
    if (isPruneError(value)) expect(value).toMatchObject({ code: 'corrupt', where: 'file.h5', tensor: 'a' });
    else unseen++;
    bytes[address + (bit >> 3)] ^= 1 << (bit & 7);
  }
  expect(unseen).toBeLessThan(8);
  expect(await store.get('b')).toEqual(entries.get('b'));
  expect(await store.get('a')).toEqual(entries.get('a'));
});

test('tensors have memory of their own, of a Buffer too', async () => {
  const bytes = readFileSync(goldenPath('tiny/squad_sparse_with_embs.h5'));
  const store = await openOwn(bytes);
  const copy = Uint8Array.from(bytes);
  for (const name of store.keys()) {
    const value = (await store.get(name))!;
    if (typeof value === 'string') continue;
    new Uint8Array(value.data.buffer).fill(1);
    expect(await store.get(name)).not.toBe(value);
  }
  expect(Buffer.compare(bytes, copy)).toBe(0);
});

test.each([512, 1024, 4096])('a user block of %i bytes before the file', async (block) => {
  const file = readFileSync(goldenPath('tiny/squad_sparse.h5'));
  const bytes = new Uint8Array(block + file.byteLength).fill(7, 0, block);
  bytes.set(file, block);
  // Superblock 0 has its base address at 24 and the end of the file, from the beginning of all bytes, at 40.
  const view = new DataView(bytes.buffer);
  view.setBigUint64(block + 24, BigInt(block), true);
  view.setBigUint64(block + 40, BigInt(bytes.byteLength), true);
  await expectEqual(bytes);
  expect(await firstDifference(await openOwn(file), await openOwn(bytes))).toBeUndefined();
});
