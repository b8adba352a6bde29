import { type Elementary, firstDifference, scalar, tensor, writeStore } from '@prune/core';
import { expect, test } from 'vitest';
import { openHdf5 } from '../../test/open-hdf5.js';
import { createH5Store } from '../create-h5-store.js';
import { memoryBytes } from '../read/file-bytes.js';
import { inflateWithFflate } from '../read/inflate.js';
import { checkWritten, type PutEntry, putEntry } from './check-written.js';

const values = new Map<string, Elementary>([
  ['bytes', tensor('int8', [300], new Int8Array(300).fill(3))],
  [
    'words',
    tensor(
      'uint16',
      [40, 5],
      Uint16Array.from({ length: 200 }, (_, i) => i >> 3),
    ),
  ],
  ['plain', tensor('float32', [3], Float32Array.of(1, -0, Number.NaN))],
  ['empty', tensor('int8', [0], new Int8Array())],
  ['scale', scalar('float64', 0.5)],
  ['dtype', 'qint8'],
]);

async function write(entries: ReadonlyMap<string, Elementary>): Promise<Uint8Array> {
  const writer = await createH5Store({ chunkBytes: 128 });
  await writeStore(writer, entries, {});
  return writer.bytes().slice();
}

const check = (bytes: Uint8Array, entries: ReadonlyMap<string, Elementary | PutEntry>) =>
  checkWritten(
    memoryBytes(bytes),
    { where: 'file.h5', inflate: inflateWithFflate },
    new Map([...entries].map(([name, value]) => [name, isPut(value) ? value : putEntry(value)])),
  );

const isPut = (value: Elementary | PutEntry): value is PutEntry => typeof value === 'object' && 'checksum' in value;

test('a file without entries has none, and one with entries has those', async () => {
  const empty = await write(new Map());
  await check(empty, new Map());
  await expect(check(empty, values)).rejects.toThrow('number of entries read back, got 0, wanted 6');
  await check(await write(values), values);
});

test.each<[string, Elementary | undefined]>([
  ['bytes', tensor('int8', [300], new Int8Array(300).fill(3).fill(4, 299))],
  ['bytes', tensor('int8', [3, 100], new Int8Array(300).fill(3))],
  ['bytes', tensor('uint8', [300], new Uint8Array(300).fill(3))],
  ['plain', tensor('float32', [3], Float32Array.of(1, 0, Number.NaN))],
  ['empty', tensor('int8', [0, 1], new Int8Array())],
  ['scale', scalar('float64', 0.25)],
  ['scale', scalar('float32', 0.5)],
  ['dtype', 'quint8'],
  ['dtype', undefined],
])('%s that was put as something else is told by its name', async (name, value) => {
  const bytes = await write(values);
  const put = new Map(values);
  put.delete(name);
  put.set(value === undefined ? 'other' : name, value ?? 'qint8');
  const tensor = value === undefined ? 'other' : name;
  await expect(check(bytes, put)).rejects.toMatchObject({
    code: 'corrupt',
    where: 'file.h5',
    tensor,
    what: 'reads back as something else',
  });
});

test('a file that passes with a byte changed is read by HDF5 with the values that were put, or not at all', async () => {
  const bytes = await write(values);
  const heap = Buffer.from(bytes).indexOf('GCOL');
  let [flipped, unseen] = [0, 0];
  for (let at = 0; at < bytes.length; at++) {
    // Behind its one string a heap is empty.
    if (at > heap + 64 && at < heap + 4096) continue;
    flipped++;
    const mutant = bytes.slice();
    mutant[at] ^= 1 << (at & 7);
    try {
      await check(mutant, values);
    } catch (error) {
      expect(error).toMatchObject({ where: 'file.h5' });
      continue;
    }
    unseen++;
    const hdf5 = await openHdf5(mutant).catch(() => undefined);
    for (const name of hdf5?.keys() ?? []) {
      const value = await hdf5?.get(name).catch(() => undefined);
      if (value === undefined) continue;
      const one = { keys: () => [name], get: () => value };
      expect(await firstDifference({ keys: () => [name], get: (key) => values.get(key) }, one)).toBeUndefined();
    }
    await hdf5?.close();
  }
  // Versions and flags of no consequence, what fills a B-tree node and a last chunk.
  expect(unseen).toBeLessThan(0.15 * flipped);
});
