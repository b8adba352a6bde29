import { type Codec, memorySink, type TensorStore, writeStore } from '@prune/core';
import { createH5Store, openH5Store } from '@prune/h5-store';
import { codecList, createMsgpackStore, openMsgpackStore } from '@prune/msgpack-store';
import { entropyCodec } from '@prune/sparse-codec';
import { expect, test } from 'vitest';
import { compareModels } from '../src/compare/compare-models.js';
import { loadModel } from '../src/model/load-model.js';
import { goldenModel } from './golden-model.js';

async function asContainer(codecs: readonly Codec[]): Promise<TensorStore> {
  const model = goldenModel('tiny');
  const sink = memorySink();
  await writeStore(await createMsgpackStore(sink, { codecs }), model, model.metadata);
  return openMsgpackStore(sink.bytes(), { codecs: [...codecList('raw'), ...codecs] });
}

async function asHdf5(): Promise<TensorStore> {
  const h5wasm = await import('h5wasm');
  await h5wasm.ready;
  const model = goldenModel('tiny');
  const writer = await createH5Store();
  await writeStore(writer, model, model.metadata);
  return openH5Store(h5wasm, writer.bytes(), { metadata: model.metadata });
}

const stores: [string, () => Promise<TensorStore>][] = [
  ['HDF5', asHdf5],
  ['.prune, raw', () => asContainer(codecList('raw'))],
  ['.prune, gzip', () => asContainer(codecList('gzip'))],
  ['.prune, csr-gzip', () => asContainer(codecList('csr-gzip'))],
  ['.prune, entropy', () => asContainer([entropyCodec(), ...codecList('csr-gzip')])],
];

test.each(stores)('%s: the same bits as from memory', async (_, open) => {
  const store = await open();
  const model = await loadModel(store);
  // The encoder is loaded: only the tokenizer would be read later.
  await store.close();
  const inMemory = await loadModel(goldenModel('tiny'));
  expect(await compareModels(inMemory, model, { batches: 2, batchSize: 4, length: 40 })).toBeUndefined();
});
