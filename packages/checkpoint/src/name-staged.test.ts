// State dicts as training scripts save them, made by torch: `cases/wrapped` of @prune/fixtures. What is in them must be
// what torch saves of the model alone, to the last bit.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { entriesOf, firstDifference, type JsonObject, type QuantizedStateDict, type Tensor } from '@prune/core';
import { casePath } from '@prune/fixtures';
import { expect, test } from 'vitest';
import { nameStaged } from './name-staged.js';
import { openCheckpoint, openStagedCheckpoint } from './node/open-checkpoint.js';
import { openStagedPytorch } from './open-staged-pytorch.js';
import type { QuantizedCheckpoint } from './staged-checkpoint.js';

const at = (name: string) => join(casePath('wrapped'), name);
const config: JsonObject = JSON.parse(readFileSync(at('config.json'), 'utf8'));

async function valuesOf(model: QuantizedStateDict): Promise<Map<string, unknown>> {
  const values = new Map<string, unknown>();
  for await (const [name, value] of entriesOf(model)) values.set(name, value);
  return values;
}

test.each(['lightning.ckpt', 'lightning_legacy.ckpt'])('%s', async (name) => {
  const plain = await openCheckpoint(at('plain.bin'));
  const { tensors, notes, close } = await openCheckpoint(at(name));
  expect([...tensors.keys()]).toHaveLength(23);
  expect(await firstDifference(tensors, plain.tensors)).toBeUndefined();
  expect(plain.notes).toEqual([]);
  expect(notes).toEqual([
    expect.stringMatching(/^the state dict is "state_dict" of the file; left out beside it: epoch, global_step, .*/),
    expect.stringContaining('model.bert.embeddings.word_embeddings.weight is bert.embeddings'),
  ]);
  await Promise.all([close(), plain.close()]);
});

test('two models: refused, naming both, or one chosen', async () => {
  await expect(openCheckpoint(at('two_models.bin'))).rejects.toMatchObject({
    code: 'invalid-argument',
    where: at('two_models.bin'),
    got: '"model", "ema.module"',
  });
  const plain = await openCheckpoint(at('plain.bin'));
  const model = await openCheckpoint(at('two_models.bin'), { stateDict: 'model' });
  const ema = await openCheckpoint(at('two_models.bin'), { stateDict: 'ema.module' });
  expect(await firstDifference(model.tensors, plain.tensors)).toBeUndefined();
  const bias = (await plain.tensors.get('qa_outputs.bias')) as Tensor<'float32'>;
  expect(await ema.tensors.get('qa_outputs.bias')).toEqual({ ...bias, data: bias.data.map((value) => value + 1) });
  const absent = openCheckpoint(at('plain.bin'), { stateDict: 'ema' });
  await expect(absent).rejects.toMatchObject({ code: 'invalid-argument', got: 'ema' });
  await Promise.all([model.close(), ema.close(), plain.close()]);
});

test('a quantized model in DataParallel, in a dict', async () => {
  const [plain, wrapped] = await Promise.all(
    ['plain_quantized.bin', 'wrapped_quantized.bin'].map((name) => openStagedCheckpoint(at(name))),
  );
  if (plain.stage !== 'quantized' || wrapped.stage !== 'quantized') throw new Error('wanted quantized models');
  const values = await valuesOf(plain.quantized);
  expect(await valuesOf(wrapped.quantized)).toEqual(values);
  expect(values.get('bert.encoder.layer.0.output.dense')).toMatchObject({ kind: 'linear' });
  const versions = Object.entries(plain.metadata.modules!).filter(([module]) => module !== '');
  expect(versions.length).toBeGreaterThan(20);
  expect(wrapped.metadata.modules).toMatchObject(Object.fromEntries(versions));
  expect(Object.keys(wrapped.metadata.modules!).filter((module) => module.startsWith('module'))).toEqual([]);
  expect(wrapped.notes).toHaveLength(2);
  await Promise.all([plain.close(), wrapped.close()]);
});

test("numpy's arrays of pickle protocol 5", async () => {
  const plain = (await openStagedPytorch(readFileSync(at('plain_quantized.bin')))) as QuantizedCheckpoint;
  const opened = await openStagedPytorch(readFileSync(at('elementary_proto5.pt')));
  if (opened.stage !== 'elementary') throw new Error('wanted the elementary form');
  const name = 'bert.encoder.layer.0.intermediate.dense';
  const module = await plain.quantized.get(name);
  if (module === undefined || !('kind' in module) || module.kind !== 'linear') throw new Error('wanted a Linear');
  const part = async (suffix: string) =>
    (await opened.elementary.get(`${name}._packed_params.weight.int_repr.${suffix}`)) as Tensor;
  expect((await part('data')).data).toEqual(module.weight.intRepr.filter((code) => code !== 0));
  expect(await part('indptr')).toMatchObject({ dtype: 'int32', shape: [13] });
  expect((await part('indices')).dtype).toBe('uint16');
  expect((await part('shape')).data).toEqual(BigInt64Array.of(12n, 8n));
  await Promise.all([plain.close(), opened.close()]);
});

test('the elementary form, wrapped', async () => {
  const opened = await openStagedPytorch(readFileSync(at('elementary_proto5.pt')));
  if (opened.stage !== 'elementary') throw new Error('wanted the elementary form');
  const { elementary } = opened;
  const prefixed = new Map([...elementary.keys()].map((name) => [`model.module.${name}`, name]));
  const get = (name: string) => elementary.get(prefixed.get(name) ?? '');
  const named = nameStaged({ ...opened, elementary: { keys: () => prefixed.keys(), get } }, config);
  if (named.stage !== 'elementary') throw new Error('wanted the elementary form');
  expect([...named.elementary.keys()]).toEqual([...elementary.keys()]);
  const scale = 'qa_outputs._packed_params.weight.scale';
  expect(await named.elementary.get(scale)).toEqual(await elementary.get(scale));
  expect(await named.elementary.get('qa_outputs')).toBeUndefined();
  await named.close();
});
