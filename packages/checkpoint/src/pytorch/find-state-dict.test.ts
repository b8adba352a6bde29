import { parameterNames } from '@prune/core';
import { codeOf } from '@prune/fixtures';
import { expect, test } from 'vitest';
import { type Bytes, bool, dict, integer, list, none, tensor, text } from '../../test/make-pickle.js';
import { makeTorchStream, makeTorchZip } from '../../test/make-torch-file.js';
import type { OpenOptions } from '../checkpoint.js';
import { openStagedPytorch } from '../open-staged-pytorch.js';

const STORAGES = { 0: new Uint8Array(Float32Array.of(1, 2).buffer) };
const value = tensor({ key: '0', type: 'FloatStorage', elements: 2 }, { size: [2], stride: [1] });
const entries = (names: readonly string[]) => names.flatMap((name) => [text(name), value]);
const { wordEmbeddings, layer } = parameterNames('bert', 'bert.');
/** A model of one layer. */
const MODEL = [wordEmbeddings, ...Object.values(layer(0))].map((name) => `${name}.weight`);
const model = dict(...entries(MODEL));

async function open(root: Bytes, options: OpenOptions = {}) {
  const checkpoint = await openStagedPytorch(makeTorchZip(root, STORAGES), { name: 'x.bin', ...options });
  if (checkpoint.stage !== 'float') throw new Error('wanted floats');
  const { stateDict, notes, tensors } = checkpoint;
  const names = [...tensors.keys()];
  await checkpoint.close();
  return { stateDict, notes, names };
}

test('an empty dict, and a state dict itself', async () => {
  expect(await open(dict())).toEqual({ stateDict: '', notes: [], names: [] });
  expect(await open(model)).toEqual({ stateDict: '', notes: [], names: MODEL });
});

test.each(['model', 'state_dict', 'model_state_dict', 'module', 'net.a'])('in a dict, as %s', async (key) => {
  const found = await open(dict(text(key), model));
  expect(found).toEqual({ stateDict: key, notes: [`the state dict is "${key}" of the file`], names: MODEL });
});

test("Lightning's checkpoint: optimizer states, numbers and strings beside it", async () => {
  const optimizer = dict(
    ...[text('state'), dict(integer(0), dict(text('step'), value, text('exp_avg'), value))],
    ...[text('param_groups'), list(dict(text('lr'), integer(1), text('params'), list(integer(0))))],
  );
  const root = dict(
    ...[text('epoch'), integer(3)],
    ...[text('pytorch-lightning_version'), text('2.0')],
    ...[text('state_dict'), model],
    ...[text('optimizer_states'), list(optimizer)],
    ...[text('optimizer'), optimizer],
    ...[text('hyper_parameters'), dict(text('lr'), none, text('amp'), bool(true))],
  );
  const { stateDict, names, notes } = await open(root);
  expect([stateDict, names]).toEqual(['state_dict', MODEL]);
  expect(notes[0]).toContain('epoch, pytorch-lightning_version, optimizer_states, optimizer and 1 more');
  const stream = await openStagedPytorch(makeTorchStream(root, { 0: { bytes: STORAGES[0], elements: 2 } }));
  expect(stream).toMatchObject({ stage: 'float', stateDict: 'state_dict' });
  await stream.close();
});

test('four dicts deep, and no deeper', async () => {
  const nested = (depth: number): Bytes => (depth === 0 ? model : dict(text('a'), nested(depth - 1)));
  expect(await open(nested(4))).toMatchObject({ stateDict: 'a.a.a.a', names: MODEL });
  expect(await codeOf(() => open(nested(5)))).toBe('unsupported');
});

test('the same dict under two names is one', async () => {
  const twice: Bytes = [0x7d, 0x28, ...text('model'), ...model, 0x71, 9, ...text('best'), 0x68, 9, 0x75];
  expect(await open(twice)).toMatchObject({ stateDict: 'model', names: MODEL });
});

test('two models are refused, naming both, and one is chosen', async () => {
  const root = dict(text('model'), model, text('ema'), dict(text('shadow'), model));
  await expect(open(root)).rejects.toMatchObject({
    code: 'invalid-argument',
    where: 'x.bin',
    got: '"model", "ema.shadow"',
    wanted: expect.stringContaining('--state-dict'),
  });
  expect(await open(root, { stateDict: 'ema.shadow' })).toMatchObject({ stateDict: 'ema.shadow', names: MODEL });
  // The rest is for the names in it.
  expect(await open(root, { stateDict: 'model.student' })).toMatchObject({ stateDict: 'model' });
  expect(await codeOf(() => open(root, { stateDict: 'ema' }))).toBe('invalid-argument');
});

test('the only complete one is taken', async () => {
  const root = dict(text('ema'), dict(...entries(MODEL.slice(0, 4))), text('model'), model);
  expect(await open(root)).toMatchObject({ stateDict: 'model', names: MODEL });
});

test('of a model that we do not know: the only dict of tensors', async () => {
  const unknown = dict(...entries(['a.weight', 'a.bias']));
  const root = dict(text('step'), integer(1), text('net'), unknown);
  expect(await open(root)).toMatchObject({ stateDict: 'net', names: ['a.weight', 'a.bias'] });
  expect(await codeOf(() => open(dict(text('a'), unknown, text('b'), unknown)))).toBe('invalid-argument');
});

test('neither tensors nor a state dict', async () => {
  expect(await codeOf(() => open(dict(text('epoch'), integer(3))))).toBe('unsupported');
  expect(await codeOf(() => open(integer(3)))).toBe('unsupported');
});
