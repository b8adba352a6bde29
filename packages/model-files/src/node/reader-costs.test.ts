import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { openCheckpoint } from '@prune/checkpoint/node';
import { writeStore } from '@prune/core';
import { goldenPath, modelPath, runInChild } from '@prune/fixtures';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { packCheckpoint } from '../pack-checkpoint.js';
import { createStore, type StoreOptions } from './create-store.js';

/** Opens a model and reads everything in it, each tensor let go before the next. */
const OPEN_AND_READ = `
import { entriesOf } from '@prune/core';
import { openCheckpoint } from '@prune/checkpoint/node';
import { openStore } from '@prune/model-files/node';
const bytesOf = (value) => (typeof value === 'string' ? value.length : (value.data?.byteLength ?? 0));
export default async ({ path, store }) => {
  const model = store ? await openStore(path) : await openCheckpoint(path);
  let largest = 0;
  let all = 0;
  for await (const [, value] of entriesOf(store ? model : model.tensors)) {
    largest = Math.max(largest, bytesOf(value));
    all += bytesOf(value);
  }
  for await (const [, bytes] of entriesOf(model.metadata.files ?? new Map())) all += bytes.byteLength;
  await model.close();
  return { largest, all };
};`;

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'prune-costs-'));
  const model = modelPath('mini-qa');
  mkdirSync(join(folder, 'safetensors'));
  const inflated = gunzipSync(readFileSync(join(model, 'model.safetensors.gz')));
  writeFileSync(join(folder, 'safetensors', 'model.safetensors'), inflated);
  const stores: [string, StoreOptions][] = [
    ['gzip.prune', {}],
    ['entropy.prune', { codec: 'entropy' }],
    ['mini-qa.h5', {}],
  ];
  for (const [name, options] of stores) {
    const { tensors, metadata, close } = await openCheckpoint(model);
    const { entries, metadata: packed } = packCheckpoint({ tensors, metadata });
    await writeStore(await createStore(join(folder, name), options), entries, packed);
    await close();
  }
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true }));

const READERS: [string, () => string, boolean][] = [
  ['safetensors', () => join(folder, 'safetensors'), false],
  ['safetensors, gzipped', () => modelPath('mini-qa'), false],
  ['PyTorch', () => goldenPath('narrow/pytorch_model.bin'), false],
  ['PyTorch, legacy', () => goldenPath('narrow/pytorch_model_legacy.bin'), false],
  ['.prune', () => join(folder, 'gzip.prune'), true],
  ['.prune, entropy', () => join(folder, 'entropy.prune'), true],
  ['HDF5', () => join(folder, 'mini-qa.h5'), true],
  ["HDF5, the notebook's", () => goldenPath('base/squad_sparse.h5'), true],
];

// The promise for hostile files, kept for honest ones. Three times its seconds, because the machine may be loaded.
test.each(READERS)(
  '%s: 64 MB, the largest tensor and 4 times the input; 3 s and 0.6 s a MB',
  async (_, pathOf, store) => {
    const path = pathOf();
    const input = bytesIn(path);
    const { value, error, seconds, peakBytes } = await runInChild(OPEN_AND_READ, { argument: { path, store } });
    expect(error).toBeUndefined();
    const { largest, all } = value as { largest: number; all: number };
    expect(all).toBeGreaterThan(0);
    expect(peakBytes).toBeLessThan(64e6 + largest + 4 * input);
    expect(seconds).toBeLessThan(3 + 0.6 * (Math.max(input, all) / 1e6));
    if (process.env.PRUNE_COSTS) {
      console.log(JSON.stringify({ reader: _, input, largest, all, seconds, peakBytes }));
    }
  },
  120_000,
);

/** Bytes of a file, or of a model folder's file of tensors. */
function bytesIn(path: string): number {
  if (!statSync(path).isDirectory()) return statSync(path).size;
  const names = ['model.safetensors', 'model.safetensors.gz'];
  return names.reduce((sum, name) => sum + (statSync(join(path, name), { throwIfNoEntry: false })?.size ?? 0), 0);
}
