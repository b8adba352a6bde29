import type { Progress } from '@prune/core';
import { codeOf } from '@prune/fixtures';
import { createEngine, type Kernels } from '@prune/kernels';
import { workerThreads } from '@prune/kernels/node';
import { expect, test } from 'vitest';
import { loadModel } from '../src/model/load-model.js';
import { answer } from '../src/qa/answer.js';
import { goldenModel } from './golden-model.js';
import { miniQa } from './mini-qa.js';

const ENGINES = [
  ['reference', 1],
  ['wasm-simd', 1],
  ['wasm-simd', 3],
  ['auto', 1],
  ['auto', 3],
] as const satisfies (readonly [Kernels | 'auto', number])[];

const inputsOf = (length: number) => ({ input_ids: [Array.from({ length }, (_, i) => 2 + ((i * 31 + length) % 300))] });

test.each(ENGINES)('%s x %d: 200 calls at once give what they give one after the other', async (kernels, threads) => {
  const model = await loadModel(goldenModel('narrow'), { engine: { kernels, threads, threadHost: workerThreads } });
  const lengths = Array.from({ length: 200 }, (_, i) => 1 + ((i * 7) % 11));
  const alone = [];
  for (const length of lengths) alone.push(await model.logits(inputsOf(length)));
  expect(await Promise.all(lengths.map((length) => model.logits(inputsOf(length))))).toEqual(alone);
  await model.close();
});

test.each(ENGINES)('%s x %d: calls before close finish, later ones are refused', async (kernels, threads) => {
  const engine = await createEngine({ kernels, threads, threadHost: workerThreads });
  for (const given of [engine, { kernels, threads, threadHost: workerThreads }]) {
    const model = await loadModel(goldenModel('narrow'), { engine: given });
    const calls = [
      () => model.logits(inputsOf(9)),
      () => model.hiddenStates(inputsOf(9)),
      () => model.meanPooled(inputsOf(9)),
      () => model.logits({ input_ids: [] }),
    ];
    const wanted = await Promise.all(calls.map((call) => call()));
    const before = calls.map((call) => call());
    const closing = model.close();
    for (const call of calls) expect(await codeOf(call)).toBe('invalid-argument');
    expect(await Promise.all(before)).toEqual(wanted);
    await Promise.all([closing, model.close()]);
    for (const call of calls) expect(await codeOf(call)).toBe('invalid-argument');
  }
  // The engine is open until its own close, which closes what models it has.
  const model = await loadModel(goldenModel('narrow'), { engine });
  await engine.close();
  expect(await codeOf(() => model.logits(inputsOf(9)))).toBe('invalid-argument');
  expect(await codeOf(() => loadModel(goldenModel('narrow'), { engine }))).toBe('invalid-argument');
  await model.close();
});

test('an answer whose model closes between two windows is refused', async () => {
  const model = await loadModel(await miniQa());
  const request = {
    question: 'What is it?',
    context: 'It is a word, and another. '.repeat(30),
    maxLength: 64,
    stride: 16,
  };
  const onProgress = ({ done }: Progress) => {
    if (done === 2) void model.close();
  };
  expect(await codeOf(() => answer(model, { ...request, onProgress }))).toBe('invalid-argument');
});
