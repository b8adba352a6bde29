import type { Progress, Tensor } from '@prune/core';
import { codeOf } from '@prune/fixtures';
import { expect, test } from 'vitest';
import { goldenConfig, goldenModel } from '../../test/golden-model.js';
import { loadModel } from '../model/load-model.js';
import { compareModels } from './compare-models.js';
import { randomTokens } from './random-tokens.js';

const quick = { batches: 2, batchSize: 3, length: 7 };

/** `tiny` with one weight that is one code larger. */
function withOneCodeMore() {
  const model = goldenModel('tiny');
  const name = 'bert.encoder.layer.0.output.dense._packed_params.weight.int_repr.data';
  const tensor = model.get(name) as Tensor<'int8'>;
  const data = tensor.data.map((code, i) => (i === 5 ? (code === -1 ? -2 : code + 1) : code));
  model.set(name, { ...tensor, data });
  return model;
}

test('random tokens are the same everywhere, and in range', () => {
  expect(randomTokens(1, 0, 5, 10)).toEqual([]);
  expect(randomTokens(1, 2, 4, 1000).map((row) => [...row])).toMatchInlineSnapshot(`
    [
      [
        627,
        2,
        527,
        981,
      ],
      [
        968,
        281,
        612,
        720,
      ],
    ]
  `);
  expect(new Set(randomTokens(0, 1, 200, 3)[0])).toEqual(new Set([0, 1, 2]));
});

test('a model equals itself', async () => {
  const batches: number[] = [];
  const model = await loadModel(goldenModel('tiny'));
  const options = { ...quick, onProgress: ({ done }: Progress) => batches.push(done) };
  expect(await compareModels(model, await loadModel(goldenModel('tiny')), options)).toBeUndefined();
  expect(batches).toEqual([1, 2]);
});

test('one weight that is one code larger is seen', async () => {
  const [tiny, changed] = [await loadModel(goldenModel('tiny')), await loadModel(withOneCodeMore())];
  const difference = await compareModels(tiny, changed, quick);
  expect(difference).toMatchObject({ output: expect.stringMatching(/^(start|end)_logits$/) });
});

test.each(['another vocabulary', 'another head'])('models of %s cannot be compared', async (what) => {
  const tiny = await loadModel(goldenModel('tiny'));
  const store = goldenModel('tiny');
  for (const name of store.keys()) if (what === 'another head' && name.startsWith('qa_outputs')) store.delete(name);
  const other = what === 'another head' ? await loadModel(store) : await loadModel(goldenModel('narrow'));
  expect(await codeOf(() => compareModels(tiny, other, quick))).toBe('mismatch');
});

test('without a head the hidden states are compared', async () => {
  const headless = (store = goldenModel('tiny')) => {
    for (const name of store.keys()) if (name.startsWith('qa_outputs')) store.delete(name);
    return loadModel(store, { config: goldenConfig('tiny') });
  };
  expect(await compareModels(await headless(), await headless(), quick)).toBeUndefined();
  const difference = await compareModels(await headless(), await headless(withOneCodeMore()), quick);
  expect(difference).toMatchObject({ batch: 0, output: 'last_hidden_state' });
});
