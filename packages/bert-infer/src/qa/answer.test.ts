import type { Progress, Tensor } from '@prune/core';
import { codeOf, goldenPath, readNpz } from '@prune/fixtures';
import { describe, expect, test } from 'vitest';
import { expectNear } from '../../test/expect-near.js';
import { goldenModel, madeUpVocabulary } from '../../test/golden-model.js';
import { PROBABILITIES } from '../../test/probabilities.js';
import type { BertModel } from '../model/bert-model.js';
import { loadModel } from '../model/load-model.js';
import { type AnswerOptions, type AnswerResult, answer } from './answer.js';

const model = await loadModel(goldenModel('tiny', { files: madeUpVocabulary(997) }));

/** The same model, but with logits of our own: by token id, 0 for all others. */
function scoring(start: Record<number, number>, end: Record<number, number>): BertModel {
  const logits = async (inputs: { input_ids: readonly ArrayLike<number>[] }) => {
    const [ids] = inputs.input_ids;
    const tensor = (by: Record<number, number>): Tensor<'float32'> => ({
      dtype: 'float32',
      shape: [1, ids.length],
      data: Float32Array.from(Array.from(ids), (id) => by[id] ?? 0),
    });
    return { head: 'question-answering', start_logits: tensor(start), end_logits: tensor(end) };
  };
  return { ...model, logits: logits as unknown as BertModel['logits'] };
}

const [A, B, CLS] = [7, 8, 2];
const question = 'q?';

test.each([
  ['question', { question: '', context: 'a' }],
  ['context', { question, context: '' }],
])('no %s', async (_, texts) => {
  expect(await codeOf(() => answer(model, texts))).toBe('invalid-argument');
});

test('the best span, its place in the text, and its score', async () => {
  const result = await answer(scoring({ [A]: 5 }, { [B]: 4 }), { question, context: 'x  A . b y' });
  expect(result).toMatchObject({ text: 'A . b', start: 3, end: 8, score: 9, windows: 1 });
  expect(result.nBest).toHaveLength(1);
  // Of 15 spans one has 9 points, three have 5, three have 4 and eight none: e^9 / (e^9 + 3 e^5 + 3 e^4 + 8).
  expectNear([result.probability], [0.9292401848611944]);
});

test('one span alone is certain', async () => {
  const result = await answer(scoring({ [A]: 5 }, { [A]: -7 }), { question, context: 'a' });
  expect(result).toMatchObject({ text: 'a', score: -2, probability: 1 });
});

describe('probabilities of two windows with the logits of golden/tiny', () => {
  const logits = readNpz(goldenPath('tiny/logits.npz')) as Map<string, Tensor>;
  const words = Array.from({ length: 63 }, (_, i) => `word${i}`);
  const request = { question, context: words.join(' '), maxLength: 48, stride: 20 };
  const { windows } = PROBABILITIES.answers;

  /** The same model, but with a row of golden logits for each window. */
  function golden(): BertModel {
    let window = 0;
    const logits = async ({ input_ids: [ids] }: { input_ids: readonly ArrayLike<number>[] }) => {
      // The fourth token after [CLS], q, ? and [SEP]: word0 is 33.
      expect([ids.length, ids[4] - 33]).toEqual([48, windows[window].first]);
      return { start_logits: rowOf('start', window), end_logits: rowOf('end', window++) };
    };
    return { ...model, logits: logits as unknown as BertModel['logits'] };
  }
  const rowOf = (which: 'start' | 'end', window: number) => {
    const [from, length] = [48 * windows[window].row, 48];
    return { shape: [1, length], data: logits.get(`fbgemm.${which}`)!.data.slice(from, from + length) };
  };

  test.each([
    ['20', { nBest: 5 }],
    ['20', { nBest: 20 }],
    ['40', { nBest: 40 }],
    ['20 and none', { nBest: 5, noAnswer: true }],
  ] as const)('over %s candidates: %j', async (key, options) => {
    const { spans, none } = PROBABILITIES.answers[key];
    const result = await answer(golden(), { ...request, ...options });
    expect(result.windows).toBe(2);
    const found = result.nBest.filter(({ text }) => text !== '');
    const wanted = spans.slice(0, options.nBest);
    expect(found.map(({ text, score }) => [text, score])).toEqual(
      wanted.map(({ first, last, score }) => [words.slice(first, last + 1).join(' '), score]),
    );
    expectNear(
      found.map(({ probability }) => probability),
      wanted.map(({ probability }) => probability),
    );
    const nothing = result.nBest.filter(({ text }) => text === '');
    expect([nothing.map(({ score }) => score), result.noAnswerScore]).toEqual(
      none === null ? [[], undefined] : [[none.score], none.score],
    );
    expectNear(
      nothing.map(({ probability }) => probability),
      none === null ? [] : [none.probability],
    );
    const { text, score, probability } = result;
    expect({ text, score, probability }).toEqual({
      text: found[0].text,
      score: found[0].score,
      probability: found[0].probability,
    });
  });
});

test('more candidates, best first, no span twice although windows overlap', async () => {
  const context = Array.from({ length: 60 }, (_, i) => (i === 30 ? 'a' : i === 31 ? 'b' : 'x')).join(' ');
  const heard: string[] = [];
  const onProgress = ({ done, total }: Progress) => heard.push(`${done}/${total}`);
  const request = { question, context, maxLength: 30, stride: 5, nBest: 8, onProgress };
  const { nBest, windows } = await answer(scoring({ [A]: 5 }, { [B]: 4 }), request);
  expect(windows).toBe(8);
  expect(heard).toEqual(Array.from({ length: 8 }, (_, i) => `${i + 1}/8`));
  expect(nBest).toHaveLength(8);
  expect(new Set(nBest.map(({ start, end }) => `${start} ${end}`)).size).toBe(8);
  expect(nBest.map(({ score }) => score)).toEqual(nBest.map(({ score }) => score).sort((a, b) => b - a));
  expect(nBest[0]).toMatchObject({ text: 'a b', start: 60, end: 63, score: 9 });
});

test('the result so far is the best answer of the windows done', async () => {
  const context = Array.from({ length: 60 }, (_, i) => (i === 10 || i === 40 ? 'a' : 'x')).join(' ');
  const model = scoring({ [A]: 5 }, { [A]: 4 });
  const known: (() => AnswerResult)[] = [];
  const request = { question, context, maxLength: 30, stride: 5, nBest: 3, noAnswer: true, noAnswerThreshold: 99 };
  const whole = await answer(model, { ...request, onProgress: (_, soFar) => known.push(soFar) });
  // It may be asked for when there is more: what is given is what is known then.
  expect(known[0]()).toEqual(whole);

  const results: AnswerResult[] = [];
  await answer(model, { ...request, onProgress: (_, soFar) => results.push(soFar()) });
  expect(results.map(({ windows }) => windows)).toEqual(results.map((_, i) => i + 1));
  expect(results[0]).toMatchObject({ text: 'a', start: 20, score: 9, noAnswerScore: 0 });
  expect(results[0].nBest.map(({ start }) => start)).not.toContain(80);
  expect(results.at(-1)).toEqual(whole);

  const controller = new AbortController();
  const stopped: (() => AnswerResult)[] = [];
  const onProgress = (_: Progress, soFar: () => AnswerResult) => {
    stopped.push(soFar);
    controller.abort();
  };
  expect(await codeOf(() => answer(model, { ...request, onProgress, signal: controller.signal }))).toBe('aborted');
  expect(stopped.map((soFar) => soFar())).toEqual([results[0]]);
});

test('of many spans the best ones, in the order of the windows where they are equal', async () => {
  const context = Array.from({ length: 200 }, (_, i) => (i % 3 === 0 ? 'a' : 'b')).join(' ');
  const request = { question, context, maxLength: 30, stride: 5, nBest: 400, candidates: 2 };
  const { nBest } = await answer(scoring({ [A]: 5 }, { [A]: 4 }), request);
  const some = await answer(scoring({ [A]: 5 }, { [A]: 4 }), { ...request, nBest: 7 });
  expect(nBest.length).toBeGreaterThan(14);
  expect(some.nBest.map(({ start, end }) => [start, end])).toEqual(
    nBest.slice(0, 7).map(({ start, end }) => [start, end]),
  );
});

test('no longer than asked for', async () => {
  const request = { question, context: 'a x x x b', maxAnswerLength: 4, nBest: 4 };
  const { nBest } = await answer(scoring({ [A]: 5 }, { [B]: 4 }), request);
  expect(nBest.map(({ text, score }) => [text, score])).toEqual([
    ['a', 5],
    ['a x', 5],
    ['a x x', 5],
    ['a x x x', 5],
  ]);
});

test('as many candidates as are asked for, past the number that is paired', async () => {
  const request = { question, context: 'a b c d e f', candidates: 3, nBest: 5 };
  expect((await answer(scoring({ [A]: 3, [B]: 2, 9: 1 }, { [B]: 3, 9: 2, 10: 1 }), request)).nBest).toHaveLength(5);
});

test('an answer even when the best starts are all behind the best ends', async () => {
  const result = await answer(scoring({ [B]: 5 }, { [A]: 5 }), { question, context: 'a x b', candidates: 1 });
  expect(result).toMatchObject({ text: 'b', score: 5 });
});

describe('no answer', () => {
  const unsure = scoring({ [A]: 2, [CLS]: 3 }, { [B]: 2, [CLS]: 3 });
  const request = { question, context: 'a b', nBest: 2 };

  test('is not considered unless it is asked for', async () => {
    const result = await answer(unsure, request);
    expect(result).toMatchObject({ text: 'a b', noAnswerScore: undefined });
    // Of three spans one has 4 points and two have 2: e^4 / (e^4 + 2 e^2), e^2 / (e^4 + 2 e^2).
    expectNear(
      result.nBest.map(({ probability }) => probability),
      [0.7869860421615985, 0.10650697891920075],
    );
  });
  test('wins with the better score', async () => {
    const result = await answer(unsure, { ...request, noAnswer: true });
    expect(result).toMatchObject({ text: '', start: 0, end: 0, score: 6, noAnswerScore: 6 });
    expect(result.nBest.map(({ text }) => text)).toEqual(['', 'a b', 'a']);
    // The same spans and e^6 in the sum.
    expectNear(
      result.nBest.map(({ probability }) => probability),
      [0.8532666658464372, 0.11547708589868773, 0.015628124127437557],
    );
    expect(result.probability).toBe(result.nBest[0].probability);
  });
  test('loses to the threshold, and stays among the candidates', async () => {
    const result = await answer(unsure, { ...request, noAnswer: true, noAnswerThreshold: 2 });
    expect(result).toMatchObject({ text: 'a b', score: 4, noAnswerScore: 6 });
    expect(result.nBest.map(({ text }) => text)).toEqual(['', 'a b', 'a']);
    expect(result.probability).toBe(result.nBest[1].probability);
  });
});

test.each<[string, AnswerOptions, string]>([
  ['nBest', { nBest: 0 }, 'invalid-argument'],
  ['stride', { stride: 0 }, 'invalid-argument'],
  ['maxLength', { maxLength: 1.5 }, 'invalid-argument'],
  ['noAnswerThreshold', { noAnswerThreshold: Number.NaN }, 'invalid-argument'],
  ['a window without room', { maxLength: 5 }, 'invalid-argument'],
  ['a signal that is aborted', { signal: AbortSignal.abort() }, 'aborted'],
])('%s', async (_, options, code) => {
  expect(await codeOf(() => answer(model, { question, context: 'a', ...options }))).toBe(code);
});

test('an explicit undefined is the default', async () => {
  const texts = { question, context: 'a b c d' };
  expect(await answer(model, { ...texts, nBest: undefined, stride: undefined })).toEqual(await answer(model, texts));
});

test('a model without the head', async () => {
  const store = goldenModel('tiny', { files: madeUpVocabulary(997) });
  for (const name of store.keys()) if (name.startsWith('qa_outputs')) store.delete(name);
  expect(await codeOf(async () => answer(await loadModel(store), { question, context: 'a' }))).toBe('missing');
});
