import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Elementary, firstDifference, writeStore } from '@prune/core';
import { goldenPath, readNpz } from '@prune/fixtures';
import * as memory from 'h5wasm';
import * as node from 'h5wasm/node';
import { afterAll, expect, test } from 'vitest';
import { openHdf5 } from '../test/open-hdf5.js';
import { createH5Store } from './create-h5-store.js';
import { createH5File, openH5File } from './node.js';
import { openH5Store } from './open-h5-store.js';
import { naturalOrder } from './read/natural-order.js';

const folder = mkdtempSync(join(tmpdir(), 'prune-h5-'));
afterAll(() => rmSync(folder, { recursive: true }));

const small = [
  'tiny/squad_sparse',
  'tiny/squad_sparse_with_embs',
  'narrow/squad_sparse',
  'narrow/squad_sparse_with_embs',
];

/** The decomposed state dict as the notebook's writer saves it: `torch.qint8` is written without its module. */
function elementary(model: string, embeddings: boolean): Map<string, Elementary> {
  const all = [...readNpz(goldenPath(`${model}/elementary.npz`))];
  const kept = all.filter(([name]) => embeddings || !name.startsWith('bert.embeddings.'));
  return new Map(kept.map(([name, value]) => [name, typeof value === 'string' ? value.replace('torch.', '') : value]));
}

test.each(small)('%s is elementary.npz, entry for entry, from either build', async (name) => {
  const wanted = elementary(name.split('/')[0], name.endsWith('embs'));
  const path = goldenPath(`${name}.h5`);
  const file = await openH5File(node, path);
  const bytes = await openH5Store(memory, new Uint8Array(readFileSync(path)));
  expect(await firstDifference(wanted, file)).toBeUndefined();
  expect(await firstDifference(file, bytes)).toBeUndefined();
  expect([...file.keys()]).toEqual(naturalOrder(wanted.keys()));
  expect(Object.keys(file.metadata.modules ?? {})).toContain('bert.encoder.layer.0.attention.self.query');
  expect(file.metadata.config?.model_type).toBe('bert');
  await file.close();
  await bytes.close();
});

test.each([...small, 'base/squad_sparse'])('%s read, written and read again is the same, and smaller', async (name) => {
  const path = goldenPath(`${name}.h5`);
  const golden = await openH5File(node, path);
  const target = join(folder, `${name.replace('/', '-')}.h5`);
  async function* entries() {
    for (const key of golden.keys()) yield [key, (await golden.get(key))!] as [string, Elementary];
  }
  await writeStore(await createH5File(target, { force: true }), entries(), golden.metadata);
  const written = await openH5File(node, target);
  expect(await firstDifference(golden, written)).toBeUndefined();
  expect(written.metadata.modules).toEqual(golden.metadata.modules);
  expect(written.metadata.config).toEqual(golden.metadata.config);
  expect(statSync(target).size).toBeLessThan(0.85 * statSync(path).size);
  let stored = 0;
  for (const key of written.keys()) stored += written.info(key)!.storedBytes;
  expect(stored).toBeLessThan(statSync(target).size);
  expect(stored).toBeGreaterThan((name.startsWith('base') ? 0.95 : 0.4) * statSync(target).size);
  await written.close();

  if (name.startsWith('base')) return;
  const [first, second] = [await createH5Store(), await createH5Store()];
  await writeStore(first, entries(), {});
  await writeStore(second, entries(), {});
  expect(Buffer.compare(first.bytes(), second.bytes())).toBe(0);
  for (const bytes of [first.bytes(), new Uint8Array(readFileSync(target))]) {
    const hdf5 = await openHdf5(bytes);
    expect(await firstDifference(golden, hdf5)).toBeUndefined();
    await hdf5.close();
  }
  await golden.close();
});

test("stored sizes of h5py's own file are HDF5's", async () => {
  const store = await openH5File(node, goldenPath('tiny/squad_sparse.h5'));
  const layer = 'bert.encoder.layer.0.attention.output.';
  // H5Dget_storage_size through h5py.
  expect(store.info(`${layer}LayerNorm.bias`)).toEqual({
    dtype: 'float32',
    shape: [64],
    codec: 'gzip',
    storedBytes: 267,
  });
  expect(store.info(`${layer}dense._packed_params.weight.int_repr.data`)?.storedBytes).toBe(339);
  expect(store.info(`${layer}dense._packed_params.dtype`)).toMatchObject({ dtype: 'string', shape: [], codec: 'raw' });
  await store.close();
});
