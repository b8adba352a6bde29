import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStagedCheckpoint } from '@prune/checkpoint/node';
import {
  type Elementary,
  type ElementaryEntries,
  firstDifference,
  type ModelMetadata,
  PruneError,
  QUANTIZATION_PROFILES,
  type QuantizationProfile,
  writeStore,
} from '@prune/core';
import { goldenPath } from '@prune/fixtures';
import { afterAll, expect, test } from 'vitest';
import { packQuantized } from '../pack-quantized.js';
import { bundleFiles } from './bundle-files.js';
import { createStore } from './create-store.js';
import { openModel } from './open-model.js';
import { UNPACKED_FORMS, type UnpackModelOptions, unpackedFiles, unpackModel } from './unpack-model.js';

const folder = mkdtempSync(join(tmpdir(), 'prune-unpack-'));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string) => join(folder, name);

/** A store of one of torch's own files, its integers and scales kept. */
async function packed(path: string, name: string, profile?: QuantizationProfile): Promise<string> {
  const checkpoint = await openStagedCheckpoint(path);
  if (checkpoint.stage === 'float') throw new Error('not quantized');
  const { entries, metadata } = packQuantized(checkpoint, { profile });
  await stored(name, entries, metadata);
  await checkpoint.close();
  return at(name);
}

async function stored(name: string, entries: ElementaryEntries, metadata: ModelMetadata): Promise<void> {
  await writeStore(await createStore(at(name), { force: true, codec: 'raw' }), entries, metadata);
}

async function unpacked(path: string, name: string, options: UnpackModelOptions): Promise<string> {
  const model = await openModel(path);
  await unpackModel(at(name), model, options);
  await model.close();
  return at(name);
}

async function differenceOf(a: string, b: string) {
  const [left, right] = [await openModel(a), await openModel(b)];
  const difference = await firstDifference(left.store!, right.store!);
  const metadata = [left, right].map(({ metadata: { profile, modules } }) => ({ profile, modules }));
  await left.close();
  await right.close();
  return { difference, metadata };
}

test.each(['per_tensor.bin', 'per_channel.bin', 'embeddings.bin', 'elementary.pt', 'torch15.bin'])(
  '%s -> .prune -> torch -> .prune: every integer, scale and version is kept',
  async (file) => {
    const store = await packed(goldenPath(`quantized/${file}`), `${file}.prune`);
    for (const layout of ['current', 'torch-1.5'] as const) {
      const out = await unpacked(store, `${file}.${layout}`, { form: 'torch', layout });
      const again = await packed(join(out, 'quantized.pt'), `${file}.${layout}.prune`);
      const { difference, metadata } = await differenceOf(store, again);
      expect(difference).toBeUndefined();
      expect(metadata[1].profile).toBe(layout === 'current' ? metadata[0].profile : 'fbgemm-1.5');
    }
    const out = await unpacked(store, `${file}.elementary`, { form: 'torch-elementary' });
    const again = await packed(join(out, 'elementary.pt'), `${file}.elementary.prune`);
    expect((await differenceOf(store, again)).difference).toBeUndefined();
  },
);

test.each(QUANTIZATION_PROFILES)('the profile %s goes with the form torch', async (profile) => {
  const store = await packed(goldenPath('quantized/per_tensor.bin'), `${profile}.prune`, profile);
  const out = await unpacked(store, profile, { form: 'torch' });
  const again = await packed(join(out, 'quantized.pt'), `${profile}-again.prune`);
  expect((await differenceOf(store, again)).metadata[1].profile).toBe(profile);
});

test('floats: quantized tables become floats, and nothing else', async () => {
  const store = await packed(goldenPath('quantized/embeddings.bin'), 'tables.prune');
  const checkpoint = await openStagedCheckpoint(
    join(await unpacked(store, 'tables', { form: 'torch', floatTables: true }), 'quantized.pt'),
  );
  if (checkpoint.stage !== 'quantized') throw new Error(checkpoint.stage);
  const { quantized } = checkpoint;
  const model = await openModel(store);
  const floats = await model.floats();
  const name = 'bert.embeddings.word_embeddings.weight';
  expect(await quantized.get(name)).toEqual(await floats.get(name));
  const kinds = await Promise.all([...quantized.keys()].map((key) => quantized.get(key)));
  const modules = kinds.flatMap((entry) => (entry !== undefined && 'kind' in entry ? [entry.kind] : []));
  expect(new Set(modules)).toEqual(new Set(['linear']));
  await checkpoint.close();
  await model.close();
});

test('one model of a bundle, by its name', async () => {
  const store = await packed(goldenPath('quantized/per_tensor.bin'), 'one.prune');
  await bundleFiles(at('both.prune'), [store, await packed(goldenPath('quantized/per_channel.bin'), 'two.prune')]);
  const out = await unpacked(`${at('both.prune')}#one`, 'one', { form: 'torch' });
  const again = await packed(join(out, 'quantized.pt'), 'one-again.prune');
  expect((await differenceOf(store, again)).difference).toBeUndefined();
});

test('a store that fails leaves no folder, and no file in a folder that is there', async () => {
  const store = await packed(goldenPath('quantized/per_tensor.bin'), 'fails.prune');
  const model = await openModel(store);
  const names = [...model.store!.keys()];
  const get = async (name: string): Promise<Elementary | undefined> => {
    if (name === names.at(-1)) throw new PruneError('corrupt', { what: 'damaged', tensor: name });
    return model.store!.get(name);
  };
  const damaged = { ...model, store: { ...model.store!, rows: undefined, get } };
  for (const form of ['torch', 'torch-elementary'] as const) {
    await expect(unpackModel(at('new'), damaged, { form })).rejects.toMatchObject({ code: 'corrupt' });
    expect(existsSync(at('new'))).toBe(false);
    const there = mkdtempSync(join(folder, 'there-'));
    await expect(unpackModel(there, damaged, { form })).rejects.toMatchObject({ code: 'corrupt' });
    expect(readdirSync(there)).toEqual([]);
  }
  await model.close();
});

test('a checkpoint is not a store, and an unknown form', async () => {
  const model = await openModel(goldenPath('tiny'));
  await expect(unpackModel(at('no'), model, { form: 'torch' })).rejects.toMatchObject({ code: 'unsupported' });
  const form = 'gguf' as 'torch';
  await expect(unpackModel(at('no'), model, { form })).rejects.toMatchObject({ code: 'invalid-argument' });
  await model.close();
});

test('a store without what an ONNX graph needs: the error names the file and the tensor', async () => {
  const store = await packed(goldenPath('quantized/elementary.pt'), 'encoder.prune');
  await expect(unpacked(store, 'no', { form: 'onnx' })).rejects.toMatchObject({
    code: 'missing',
    where: store,
    what: expect.stringContaining('config.json'),
  });
  const model = await openModel(store);
  const config = JSON.parse(readFileSync(goldenPath('tiny/config.json'), 'utf8'));
  const configured = { ...model, metadata: { ...model.metadata, config } };
  const tensor = 'bert.embeddings.word_embeddings.weight';
  const unpacking = unpackModel(at('no'), configured, { form: 'onnx' });
  await expect(unpacking).rejects.toMatchObject({ code: 'missing', where: store, tensor });
  expect(existsSync(at('no'))).toBe(false);
  await model.close();
});

test('every form has a file of its own', () => {
  const files = UNPACKED_FORMS.map((form) => unpackedFiles({}, form));
  expect(new Set(files.flat()).size).toBe(UNPACKED_FORMS.length);
});
