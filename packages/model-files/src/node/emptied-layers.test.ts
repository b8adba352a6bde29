import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { firstDifference, type Tensor, tensor, writeStore } from '@prune/core';
import { recompose } from '@prune/csr';
import { afterAll, expect, test } from 'vitest';
import { inspectStore } from '../inspect-store.js';
import { packCheckpoint } from '../pack-checkpoint.js';
import { createStore } from './create-store.js';
import { openStore } from './open-model.js';

const folder = mkdtempSync(join(tmpdir(), 'prune-emptied-'));
afterAll(() => rmSync(folder, { recursive: true }));

const HIDDEN = 8;
const INTERMEDIATE = 5;

/** A layer of which pruning left no head, and one without a neuron. */
function emptied(): Map<string, Tensor> {
  const parameters = new Map<string, Tensor>();
  const linear = (name: string, rows: number, columns: number) => {
    const weight = Float32Array.from({ length: rows * columns }, (_, i) => (i % 3 === 0 ? i + 1 : 0));
    parameters.set(`${name}.weight`, tensor('float32', [rows, columns], weight));
    parameters.set(`${name}.bias`, tensor('float32', [rows], new Float32Array(rows).fill(0.5)));
  };
  for (const [layer, width, neurons] of [
    [0, 0, INTERMEDIATE],
    [1, HIDDEN, 0],
  ] as const) {
    const at = `bert.encoder.layer.${layer}`;
    for (const part of ['query', 'key', 'value']) linear(`${at}.attention.self.${part}`, width, HIDDEN);
    linear(`${at}.attention.output.dense`, HIDDEN, width);
    linear(`${at}.intermediate.dense`, neurons, HIDDEN);
    linear(`${at}.output.dense`, HIDDEN, neurons);
    for (const norm of ['attention.output.LayerNorm', 'output.LayerNorm']) {
      for (const part of ['weight', 'bias']) {
        parameters.set(`${at}.${norm}.${part}`, tensor('float32', [HIDDEN], new Float32Array(HIDDEN).fill(1)));
      }
    }
  }
  return parameters;
}

function packed(perChannel: boolean) {
  const tensors = emptied();
  const config = { model_type: 'bert', num_hidden_layers: 2 };
  const checkpoint = {
    tensors: {
      keys: () => tensors.keys(),
      get: (name: string) => tensors.get(name),
      info: (name: string) => tensors.get(name),
    },
    metadata: { config },
  };
  return packCheckpoint(checkpoint, { perChannel });
}

test.each([
  { file: 'raw.prune', codec: 'raw' },
  { file: 'gzip.prune', codec: 'gzip' },
  { file: 'csr-gzip.prune', codec: 'csr-gzip' },
  { file: 'entropy.prune', codec: 'entropy' },
  { file: 'h5.h5', codec: undefined },
] as const)('matrices without rows or columns in $file: packed, inspected, read back', async ({ file, codec }) => {
  for (const perChannel of [false, true]) {
    const path = join(folder, file);
    const { entries, metadata } = packed(perChannel);
    await writeStore(await createStore(path, { codec, force: true }), entries, metadata);
    const store = await openStore(path);
    const wanted = new Map<string, Tensor>();
    for await (const [name, value] of packed(perChannel).entries) wanted.set(name, value as Tensor);
    expect(await firstDifference(wanted, store)).toBeUndefined();
    const { matrices } = await inspectStore(store, { path, bytes: 0 });
    expect(matrices).toHaveLength(12);
    for (const { name, shape, nonzeros, density, bounds } of matrices) {
      const cells = shape[0] * shape[1];
      expect(nonzeros, name).toBe(Math.ceil(cells / 3));
      expect(density, name).toBe(cells === 0 ? 0 : nonzeros / cells);
      expect(Object.values(bounds).every(Number.isFinite), name).toBe(true);
    }
    const modules = recompose(store);
    const query = await modules.get('bert.encoder.layer.0.attention.self.query');
    const output = await modules.get('bert.encoder.layer.0.attention.output.dense');
    expect(query).toMatchObject({ weight: { shape: [0, HIDDEN] }, bias: { shape: [0] } });
    expect(output).toMatchObject({ weight: { shape: [HIDDEN, 0] }, bias: { shape: [HIDDEN] } });
    await store.close();
  }
});
