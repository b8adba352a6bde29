import { readFileSync, statSync } from 'node:fs';
import { DEFAULT_LIMITS } from '@prune/core';
import { goldenPath, hostilePath, runInChild } from '@prune/fixtures';
import * as h5wasm from 'h5wasm';
import { expect, test } from 'vitest';
import { openHdf5 } from '../test/open-hdf5.js';
import { openH5Store } from './open-h5-store.js';

const OPEN_AND_READ = `
import { DEFAULT_LIMITS, entriesOf } from '@prune/core';
import { openH5File } from '@prune/h5-store/node';
export default async ({ path, limits, h5wasm }) => {
  const store = await openH5File(() => import(h5wasm), path, { limits: { ...DEFAULT_LIMITS, ...limits } });
  for await (const [, value] of entriesOf(store));
};`;

test.each([
  ['h5-suffix-names-100000', {}],
  // Names of any length: their sum is limited as well.
  ['h5-suffix-names-100000', { nameLength: DEFAULT_LIMITS.headerBytes }],
  ['h5-btree-dag', {}],
  ['h5-heaps-100000', {}],
])('%s with limits %j is refused in little time and memory', async (name, limits) => {
  const path = hostilePath(`${name}.h5`);
  const megabytes = statSync(path).size / 2 ** 20;
  // h5wasm is installed for this package, not for the child's folder.
  const argument = { path, limits, h5wasm: import.meta.resolve('h5wasm/node') };
  const { error, seconds, peakBytes } = await runInChild(OPEN_AND_READ, { argument, timeoutSeconds: 20 });
  expect(error?.code).toBe('limit');
  // Three times the promised second: the machine may be loaded.
  expect(seconds).toBeLessThan(3 * (1 + 0.2 * megabytes));
  expect(peakBytes).toBeLessThan((64 + 4 * megabytes) * 2 ** 20);
});

test('HDF5 is not asked for names that are suffixes of one string', async () => {
  const before = (await h5wasm.ready).HEAPU8.length;
  const bytes = new Uint8Array(readFileSync(hostilePath('h5-suffix-names-100000.h5')));
  await expect(openHdf5(bytes)).rejects.toMatchObject({ code: 'limit' });
  expect((await h5wasm.ready).HEAPU8.length).toBe(before);
});

test('chunks of one element that were never written are limited before HDF5 makes them', async () => {
  const { FS } = await h5wasm.ready;
  const file = new h5wasm.File('/chunks.h5', 'w');
  file.create_dataset({ name: 'a', data: new Int8Array(100), shape: [100], maxshape: [2 ** 20], chunks: [1] });
  (file.get('a') as h5wasm.Dataset).resize([1_000_000]);
  file.close();
  const bytes = FS.readFile('/chunks.h5');
  FS.unlink('/chunks.h5');
  await expect(openHdf5(bytes)).rejects.toMatchObject({ code: 'limit', tensor: 'a' });
});

test('without h5wasm, a file that needs it is unsupported, and one that does not opens', async () => {
  const file = new h5wasm.File('/newest.h5', 'w', { libver: 'latest' });
  file.create_dataset({ name: 'a', data: new Int8Array(100), shape: [100], chunks: [50] });
  file.close();
  const { FS } = await h5wasm.ready;
  const bytes = FS.readFile('/newest.h5');
  FS.unlink('/newest.h5');
  await expect(openH5Store(null, bytes)).rejects.toMatchObject({ code: 'unsupported', wanted: 'h5wasm' });
  const golden = new Uint8Array(readFileSync(goldenPath('tiny/squad_sparse.h5')));
  const store = await openH5Store(null, golden);
  expect([...store.keys()].length).toBeGreaterThan(10);
});
