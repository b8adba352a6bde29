import { openCheckpoint, openStagedCheckpoint } from '@prune/checkpoint/node';
import { type Elementary, firstDifference, LINEAR_PARTS, partName, type Tensor } from '@prune/core';
import { codeOf, goldenPath, readNpz } from '@prune/fixtures';
import { expect, test } from 'vitest';
import { packCheckpoint } from './pack-checkpoint.js';
import { packQuantized } from './pack-quantized.js';

async function packed(file: string) {
  const checkpoint = await openStagedCheckpoint(goldenPath(`quantized/${file}`));
  if (checkpoint.stage === 'float') throw new Error('wanted a quantized model');
  const { entries, metadata, steps } = packQuantized(checkpoint);
  const values = new Map<string, Elementary>();
  for await (const [name, value] of entries) values.set(name, value);
  await checkpoint.close();
  return { values, metadata, steps };
}

// The notebook made elementary.pt of the model in per_tensor.bin, without embeddings and pooler.
test("a quantized state dict becomes the notebook's elementary form", async () => {
  const { values, metadata } = await packed('per_tensor.bin');
  const wanted = await packed('elementary.pt');
  expect(wanted.values.size).toBeGreaterThan(100);
  const common = new Map([...values].filter(([name]) => wanted.values.has(name)));
  expect(await firstDifference(wanted.values, common)).toBeUndefined();
  expect(metadata).toMatchObject({ profile: 'fbgemm', modules: { qa_outputs: { version: 4 } } });
  expect(wanted.metadata.profile).toBe('fbgemm');
});

test('what PyTorch quantized is what we make of the floats', async () => {
  const { tensors, metadata, close } = await openCheckpoint(goldenPath('tiny'));
  const ours = new Map<string, Elementary>();
  for await (const [name, value] of packCheckpoint({ tensors, metadata }).entries) ours.set(name, value);
  await close();
  const { values } = await packed('per_tensor.bin');
  expect(values.size).toBeGreaterThan(140);
  expect(await firstDifference(ours, values)).toBeUndefined();
});

test('the layouts of torch 1.4 and 1.5 give the same, with the profile of their time', async () => {
  const now = await packed('per_tensor.bin');
  for (const file of ['torch14.bin', 'torch15.bin']) {
    const { values, metadata } = await packed(file);
    expect(await firstDifference(now.values, values)).toBeUndefined();
    expect(metadata.profile).toBe('fbgemm-1.5');
  }
});

test('one scale a row, and quantized tables', async () => {
  const expected = readNpz(goldenPath('quantized/expected.npz'));
  const channels = await packed('per_channel.bin');
  const scales = channels.values.get(partName('qa_outputs', LINEAR_PARTS.scale)) as Tensor;
  expect(scales.data).toEqual((expected.get('per_channel/qa_outputs.scales') as Tensor).data);
  const tables = await packed('embeddings.bin');
  const name = 'bert.embeddings.word_embeddings';
  const codes = tables.values.get(`${name}._packed_params._packed_weight.int_repr`) as Tensor;
  expect(codes.data).toEqual((expected.get(`embeddings/${name}.int_repr`) as Tensor).data);
});

test('versions of different releases are a mismatch', async () => {
  const modules = Object.fromEntries(
    ['a', 'b'].flatMap((name, i) => [
      [name, { version: 3 + i }],
      [`${name}._packed_params`, { version: 2 + i }],
    ]),
  );
  const model = { stage: 'elementary', elementary: new Map(), metadata: { modules } } as const;
  expect(await codeOf(() => packQuantized(model))).toBe('mismatch');
});
