import type { AnswerResult } from '@prune/bert-infer';
import { isPruneError } from '@prune/core';
import { expect, test } from 'vitest';
import { compareAnswers, predictionsOf } from './compare-answers.js';

const candidate = (text: string, score: number) => ({ text, score, start: 0, end: text.length, probability: 0.5 });
const result = (...nBest: ReturnType<typeof candidate>[]): AnswerResult => ({ ...nBest[0], nBest, windows: 1 });

test('no answers', () => {
  expect(compareAnswers(new Map(), {})).toEqual({ equal: 0, nearTies: [], different: [] });
});

test('equal, nearly equal, and different', () => {
  const answers = new Map([
    ['same', result(candidate('x', 3))],
    ['near', result(candidate('x', 3), candidate('y', 2.75))],
    ['far', result(candidate('x', 3), candidate('y', 1))],
    ['unheard of', result(candidate('x', 3))],
  ]);
  expect(compareAnswers(answers, { same: 'x', near: 'y', far: 'y', 'unheard of': 'z' })).toEqual({
    equal: 1,
    nearTies: [{ id: 'near', ours: 'x', theirs: 'y', margin: 0.25 }],
    different: [
      { id: 'far', ours: 'x', theirs: 'y', margin: 2 },
      { id: 'unheard of', ours: 'x', theirs: 'z', margin: undefined },
    ],
  });
});

test('predictions, plain or by name', () => {
  expect(predictionsOf({ a: 'x' }, 'fbgemm', 'p.json')).toEqual({ a: 'x' });
  expect(predictionsOf({ fbgemm: { a: 'y' }, float32: { a: 'x' } }, 'fbgemm', 'p.json')).toEqual({ a: 'y' });
});

test.each([null, [], { a: 1 }, { fbgemm: ['x'] }])('not predictions: %j', (json) => {
  let error: unknown;
  try {
    predictionsOf(json, 'fbgemm', 'p.json');
  } catch (caught) {
    error = caught;
  }
  expect(isPruneError(error, 'corrupt')).toBe(true);
});

test('a question without a prediction', () => {
  expect(() => compareAnswers(new Map([['a', result(candidate('x', 1))]]), {})).toThrowError(/no prediction/);
});
