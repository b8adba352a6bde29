import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bestSpans } from './best-spans.js';

const all = { candidates: 20, maxAnswerLength: 30 };

test('no tokens', () => {
  expect(bestSpans([], [], { begin: 0, end: 0 }, all)).toEqual([]);
});

test('nothing inside the context', () => {
  expect(bestSpans([5, 1, 1], [5, 1, 1], { begin: 1, end: 3 }, { ...all, candidates: 1 })).toEqual([]);
});

test('equal scores: the better start first', () => {
  const spans = bestSpans([1, 2, 0], [0, 2, 3], { begin: 0, end: 3 }, all);
  expect(spans.map(({ start, end }) => [start, end])).toEqual([
    [1, 2],
    [1, 1],
    [0, 2],
    [0, 1],
    [2, 2],
    [0, 0],
  ]);
});

test('NaN is never chosen', () => {
  expect(bestSpans([Number.NaN, 0], [Number.NaN, 0], { begin: 0, end: 2 }, all)).toEqual([
    { start: 1, end: 1, score: 0 },
  ]);
});

test('with all candidates it is the exhaustive search', () => {
  const logits = fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 12, maxLength: 12 });
  fc.assert(
    fc.property(logits, logits, fc.nat(11), fc.nat(12), fc.integer({ min: 1, max: 13 }), (s, e, begin, end, most) => {
      const scores: number[] = [];
      for (let i = begin; i < end; i++) for (let j = i; j < Math.min(end, i + most); j++) scores.push(s[i] + e[j]);
      const found = bestSpans(s, e, { begin, end }, { candidates: 12, maxAnswerLength: most });
      expect(found.map(({ score }) => score)).toEqual(scores.sort((a, b) => b - a));
    }),
  );
});
