import { randomBytes } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import * as h5wasm from 'h5wasm';
import { expect, test } from 'vitest';
import { openHdf5 } from '../../test/open-hdf5.js';
import { lookup3 } from '../format/lookup3.js';
import { viewOf } from '../read/file-bytes.js';

/** The bytes of a file in HDF5's newest form, which keeps many links, or attributes, in a heap with an index. */
async function newFile(fill: (file: h5wasm.File) => void): Promise<Uint8Array> {
  const { FS } = await h5wasm.ready;
  const file = new h5wasm.File('/new.h5', 'w', { libver: 'latest' });
  fill(file);
  file.close();
  const bytes = FS.readFile('/new.h5').slice();
  FS.unlink('/new.h5');
  return bytes;
}

const manyLinks = (count: number, length: number) =>
  newFile((file) => {
    file.create_dataset({ name: 'x'.repeat(length), data: new Int8Array([1, 2, 3]) });
    for (let i = 1; i < count; i++) file.create_hard_link('x'.repeat(length), `n${i}`);
  });

/** Changes the records of every leaf of the B-trees of `type`, and makes the checksums right. */
function changeRecords(bytes: Uint8Array, type: number, recordBytes: number, change: (record: Uint8Array) => void) {
  const view = viewOf(bytes);
  let changed = 0;
  for (let at = 0; at + 6 < bytes.byteLength; at++) {
    if (view.getUint32(at, true) !== 0x464c5442 || bytes[at + 5] !== type) continue;
    let end = at + 6;
    // The node does not tell how many records it has; their checksum does.
    do end += recordBytes;
    while (lookup3(bytes.subarray(at, end)) !== view.getUint32(end, true));
    for (let from = at + 6; from < end; from += recordBytes) {
      change(bytes.subarray(from, from + recordBytes));
      changed++;
    }
    view.setUint32(end, lookup3(bytes.subarray(at, end)), true);
  }
  return changed;
}

test.each([8, 9, 45, 46, 1500])('%i links in the newest form', async (count) => {
  const store = await openHdf5(await manyLinks(count, 20));
  expect([...store.keys()]).toHaveLength(count);
  expect(await store.get('n5')).toMatchObject({ shape: [3] });
});

test('attributes in the newest form, one of them larger than the heap takes', async () => {
  const values = new Float32Array(20_000).map((_, i) => i);
  const bytes = await newFile((file) => {
    for (let i = 0; i < 100; i++) file.create_attribute(`a${i}`, i);
    file.create_attribute('large', values, [values.length], '<f4');
  });
  const store = await openHdf5(bytes);
  expect([...store.keys()]).toHaveLength(101);
  expect(await store.get('large')).toMatchObject({ shape: [20_000], data: values });
});

test('an index whose records are all one long link is limited before HDF5 copies it', async () => {
  const memory = (await h5wasm.ready).HEAPU8.length;
  const bytes = await manyLinks(1500, 1000);
  let long: Uint8Array | undefined;
  // Behind the hash: kind, offset and length.
  const find = (record: Uint8Array) => {
    if (viewOf(record).getUint16(9, true) > 1000) long = record.slice(4);
  };
  expect(changeRecords(bytes, 5, 11, find)).toBeGreaterThan(1000);
  expect(long).toBeDefined();
  changeRecords(bytes, 5, 11, (record) => record.set(long!, 4));
  await expect(openHdf5(bytes)).rejects.toMatchObject({
    code: 'limit',
    what: 'the structures take too much reading for a file of this size (bytes)',
    tensor: undefined,
  });
  expect((await h5wasm.ready).HEAPU8.length).toBe(memory);
});

test('the names of dense links are limited', async () => {
  await expect(openHdf5(await manyLinks(20, 1025))).rejects.toMatchObject({ code: 'limit', got: 1025 });
});

test('an index that has one link twice is corrupt', async () => {
  const bytes = await manyLinks(20, 20);
  let first: Uint8Array | undefined;
  changeRecords(bytes, 5, 11, (record) => {
    first ??= record.slice();
    record.set(first);
  });
  await expect(openHdf5(bytes)).rejects.toMatchObject({ code: 'corrupt', what: 'name appears twice' });
});

test('a chunk that inflates to more than HDF5 may take is refused, and others are still read', async () => {
  const shape = [200_000];
  const noise = new Uint8Array(randomBytes(shape[0]));
  const bytes = await newFile((file) => {
    const create = (name: string) =>
      file.create_dataset({ name, data: noise, shape, chunks: shape, compression: 'gzip', compression_opts: 1 });
    create('a');
    create('b');
  });
  // Noise is stored as it is, inside what zlib puts around it.
  const at = Buffer.from(bytes).indexOf(noise.subarray(0, 100));
  const bomb = deflateSync(new Uint8Array(100 * 2 ** 20), { level: 6 });
  expect(bomb.byteLength).toBeLessThan(shape[0]);
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, at).lastIndexOf(Buffer.from([0x78, 0x01]));
  expect(at - start).toBeLessThan(10);
  bytes.set(bomb, start);
  const store = await openHdf5(bytes);
  const outcomes = await Promise.allSettled([store.get('a'), store.get('b')]);
  expect(outcomes).toMatchObject([
    { status: 'rejected', reason: { code: 'limit', tensor: 'a' } },
    { status: 'fulfilled', value: { data: noise } },
  ]);
  expect((await h5wasm.ready).HEAPU8.length).toBeLessThan(80 * 2 ** 20);
});
