import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type BertModel, embed, loadModel } from '@prune/bert-infer';
import { openSafetensors, writeSafetensors } from '@prune/checkpoint';
import { openCheckpoint, writeCheckpointFolder } from '@prune/checkpoint/node';
import { firstDifference, memorySink, type Tensor, writeStore } from '@prune/core';
import { codeOf, goldenPath, readNpz } from '@prune/fixtures';
import { packCheckpoint } from '@prune/model-files';
import { createStore, openModel, openStore } from '@prune/model-files/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const golden = (file: string) => goldenPath(`sentence-transformers/${file}`);
const { texts, folders }: { texts: string[]; folders: Record<string, Record<string, string>> } = JSON.parse(
  readFileSync(golden('folders.json'), 'utf8'),
);
const embeddings = readNpz(golden('embeddings.npz'));

/** Of int8: numbers of unit vectors, of sums, and of maxima. */
const TOLERANCES: Record<string, number> = { dense: 0.1, cls: 0.1, pooled: 0.25 };

let top: string;
beforeAll(async () => {
  top = mkdtempSync(join(tmpdir(), 'prune-sentence-'));
  const weights = await openSafetensors(new Uint8Array(readFileSync(golden('weights.safetensors'))));
  const files = new Map<string, Map<string, Tensor>>();
  for (const name of weights.keys()) {
    const [folder, path, tensor] = name.split('|');
    const file = join(top, folder, path);
    files.set(file, (files.get(file) ?? new Map()).set(tensor, await weights.get(name)));
  }
  for (const [path, tensors] of files) {
    const sink = memorySink();
    await writeSafetensors(sink, tensors);
    write(path, sink.bytes());
  }
  for (const [folder, paths] of Object.entries(folders)) {
    for (const [path, text] of Object.entries(paths)) write(join(top, folder, path), text);
  }
});
afterAll(() => rmSync(top, { recursive: true }));

function write(path: string, contents: string | Uint8Array) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, contents);
}

/** The largest difference of any number of any text's embedding from what `SentenceTransformer.encode` gave. */
async function furthest(model: BertModel, name: string): Promise<number> {
  const { data, shape } = embeddings.get(name) as Tensor<'float32'>;
  const ours = await embed(model, texts);
  expect(ours.map((vector) => vector.length)).toEqual(texts.map(() => shape[1]));
  return Math.max(...ours.flatMap((vector, row) => [...vector].map((v, i) => Math.abs(v - data[row * shape[1] + i]))));
}

describe.each(Object.keys(folders))('%s', (name) => {
  test('embed gives what SentenceTransformer.encode gives', async () => {
    const checkpoint = await openCheckpoint(join(top, name));
    const model = await loadModel(Object.assign(checkpoint.tensors, { metadata: checkpoint.metadata }));
    expect(await furthest(model, name)).toBeLessThan(2e-6);
    await model.close();
    await checkpoint.close();
  });

  test.each(['msgpack', 'h5'] as const)(
    'packed into %s it does the same, and unpacked it is the folder',
    async (store) => {
      const place = join(top, `${name}-${store}`);
      mkdirSync(place);
      const file = join(place, store === 'h5' ? 'model.h5' : 'model.prune');
      const checkpoint = await openCheckpoint(join(top, name));
      const { entries, metadata } = packCheckpoint(checkpoint);
      await writeStore(await createStore(file, { store }), entries, metadata);
      await checkpoint.close();

      const packed = await openStore(file);
      const model = await loadModel(packed);
      // Weights and activations of a random model, rounded to int8.
      expect(await furthest(model, name)).toBeLessThan(TOLERANCES[name]);
      await model.close();
      await packed.close();

      const opened = await openModel(file);
      const floats = await opened.floats();
      const folder = join(place, 'unpacked');
      await writeCheckpointFolder(folder, { tensors: floats, metadata: opened.metadata });
      const again = await openCheckpoint(folder);
      expect(again.metadata.sentence).toEqual(metadata.sentence);
      expect(await firstDifference(floats, again.tensors)).toBeUndefined();
      await again.close();
      await opened.close();
    },
  );
});

test.each([
  ['another pooling', '1_Pooling/config.json', { pooling_mode: 'attention' }, 'unsupported'],
  ['an older flag of a pooling', '1_Pooling/config.json', { pooling_mode_attention: true }, 'unsupported'],
  ['an activation of somebody', '2_Dense/config.json', { activation_function: 'mine.Tanh' }, 'unsupported'],
  ['a Dense module of other sizes', '2_Dense/config.json', { in_features: 8, out_features: 24 }, 'mismatch'],
  [
    'a module that we do not compute',
    'modules.json',
    [
      { type: 'a.Transformer', path: '' },
      { type: 'a.LSTM', path: '1_LSTM' },
    ],
    'unsupported',
  ],
  ['a path out of the folder', 'modules.json', [{ type: 'a.Transformer', path: '../x' }], 'corrupt'],
])('%s is refused', async (_what, path, value, code) => {
  const folder = join(top, 'dense');
  const before = readFileSync(join(folder, path), 'utf8');
  writeFileSync(join(folder, path), JSON.stringify(value));
  try {
    expect(await codeOf(() => openCheckpoint(folder))).toBe(code);
  } finally {
    writeFileSync(join(folder, path), before);
  }
});
