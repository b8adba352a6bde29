import { openCheckpoint } from '@prune/checkpoint/node';
import { type Elementary, firstDifference, type JsonObject, type Tensor, tensor } from '@prune/core';
import { decompose } from '@prune/csr';
import { goldenPath } from '@prune/fixtures';
import { linearModules, quantizeDynamic } from '@prune/quant';
import { expect, test } from 'vitest';
import { type PackableCheckpoint, packCheckpoint } from './pack-checkpoint.js';

function checkpoint(tensors: Record<string, Tensor>, config?: JsonObject): PackableCheckpoint {
  const map = new Map(Object.entries(tensors));
  return {
    tensors: { keys: () => map.keys(), get: (name) => map.get(name), info: (name) => map.get(name) },
    metadata: { config, files: new Map([['vocab.txt', Uint8Array.of(1)]]) },
  };
}

const matrix = (rows: number, columns: number) =>
  tensor('float32', [rows, columns], new Float32Array(rows * columns).fill(0.5));
const vector = (length: number) => tensor('float32', [length], new Float32Array(length).fill(1));

async function collect(entries: AsyncIterable<[string, Elementary]> | Iterable<[string, Elementary]>) {
  const map = new Map<string, Elementary>();
  for await (const [name, value] of entries) map.set(name, value);
  return map;
}

test('a checkpoint without tensors', async () => {
  const packed = packCheckpoint(checkpoint({}, NO_LAYERS));
  expect(packed).toMatchObject({ steps: 0, architectureKnown: true, metadata: { profile: 'fbgemm' } });
  expect((await collect(packed.entries)).size).toBe(0);
});

/** The config of a model that has nothing but embeddings and a head. */
const NO_LAYERS = { model_type: 'bert', num_hidden_layers: 0 };

const TENSORS = {
  'bert.embeddings.word_embeddings.weight': matrix(5, 4),
  'bert.embeddings.LayerNorm.weight': vector(4),
  'qa_outputs.weight': matrix(2, 4),
  'qa_outputs.bias': vector(2),
};

test('Linears become CSR, everything else stays, metadata goes along', async () => {
  const steps: string[] = [];
  const packed = packCheckpoint(checkpoint(TENSORS, NO_LAYERS), {}, (name) => steps.push(name));
  const entries = await collect(packed.entries);
  expect(steps).toEqual(['bert.embeddings.word_embeddings.weight', 'bert.embeddings.LayerNorm.weight', 'qa_outputs']);
  expect(packed.steps).toBe(3);
  expect(entries.get('qa_outputs._packed_params.weight.int_repr.data')).toMatchObject({ dtype: 'int8', shape: [8] });
  expect(entries.get('bert.embeddings.word_embeddings.weight')).toEqual(
    TENSORS['bert.embeddings.word_embeddings.weight'],
  );
  expect(packed.metadata.files?.get('vocab.txt')).toEqual(Uint8Array.of(1));
  expect(packed.metadata.modules).toMatchObject({ qa_outputs: { version: 4 }, bert: { version: 1 } });
});

test('modules that are left out, coded tables, an older profile', async () => {
  const options = { exclude: ['LayerNorm'], embeddings: 'int8', profile: 'fbgemm-1.5' } as const;
  const packed = packCheckpoint(checkpoint(TENSORS, NO_LAYERS), options);
  const names = [...(await collect(packed.entries)).keys()];
  expect(names).not.toContain('bert.embeddings.LayerNorm.weight');
  expect(names).toContain('bert.embeddings.word_embeddings._packed_params._packed_weight.int_repr');
  expect(packed.metadata).toMatchObject({ profile: 'fbgemm-1.5', modules: { qa_outputs: { version: 3 } } });
});

test('a model without the layers of its config is refused', () => {
  const pack = (tensors: Record<string, Tensor>) => () =>
    packCheckpoint(checkpoint(tensors, { model_type: 'bert', num_hidden_layers: 1 }));
  const wanted = { code: 'missing', got: expect.stringContaining('qa_outputs.weight') };
  expect(pack(TENSORS)).toThrow(expect.objectContaining(wanted));
  expect(pack({})).toThrow(expect.objectContaining({ code: 'missing', got: 'no tensors' }));
});

test('a computation that we do not have is refused by name, for a family that we know', () => {
  const pack = (config: JsonObject) => () => packCheckpoint(checkpoint(TENSORS, config));
  const refusal = { code: 'unsupported', what: expect.stringContaining('is_decoder') };
  expect(pack({ ...NO_LAYERS, is_decoder: true })).toThrow(expect.objectContaining(refusal));
  expect(pack({ model_type: 'mamba', is_decoder: true })).not.toThrow();
});

test('an architecture that is not known is said', () => {
  expect(packCheckpoint(checkpoint(TENSORS, { model_type: 'mamba' })).architectureKnown).toBe(false);
  expect(packCheckpoint(checkpoint(TENSORS)).architectureKnown).toBe(false);
});

test.each([false, true])(
  'read in pieces, read whole, or quantized densely: the same entries (per channel: %s)',
  async (perChannel) => {
    const { tensors, metadata, close } = await openCheckpoint(goldenPath('narrow'));
    const whole = { tensors: { ...tensors, pieces: undefined }, metadata };
    const inPieces = await collect(packCheckpoint({ tensors, metadata }, { perChannel }).entries);
    expect(
      await firstDifference(inPieces, await collect(packCheckpoint(whole, { perChannel }).entries)),
    ).toBeUndefined();
    const { linears } = linearModules(
      metadata.config,
      [...tensors.keys()].map((name) => [name, tensors.info(name)!]),
    );
    const dense = await collect(decompose(quantizeDynamic(tensors, { linears, perChannel })));
    expect(await firstDifference(inPieces, dense)).toBeUndefined();
    await close();
  },
);
