import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cutBatches, TEXTS_AT_ONCE } from './cut-batches.js';

test('no text, one text, a text that is longer than a batch', () => {
  expect(cutBatches([], 10)).toEqual([]);
  expect(cutBatches([3], 10)).toEqual([[0]]);
  expect(cutBatches([30, 4, 20], 10)).toEqual([[1], [2], [0]]);
});

test('from the shortest to the longest, a full batch to its last token', () => {
  expect(cutBatches([5, 2, 3, 5, 1], 8)).toEqual([[4, 1, 2], [0], [3]]);
  expect(cutBatches([4, 4, 4], 8)).toEqual([[0, 1], [2]]);
});

test('each group is cut for itself', () => {
  const lengths = Array.from({ length: 2 * TEXTS_AT_ONCE + 3 }, (_, i) => 1 + ((i * 7) % 40));
  const groups = [0, TEXTS_AT_ONCE, 2 * TEXTS_AT_ONCE].map((first) =>
    cutBatches(lengths.slice(first, first + TEXTS_AT_ONCE), 99).map((batch) => batch.map((place) => first + place)),
  );
  expect(cutBatches(lengths, 99)).toEqual(groups.flat());
});

test('every text once, no batch too long unless it is one text', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 40 })), fc.integer({ min: 1, max: 60 }), (lengths, tokens) => {
      const batches = cutBatches(lengths, tokens);
      expect(batches.flat().sort((a, b) => a - b)).toEqual(lengths.map((_, place) => place));
      for (const batch of batches) {
        const sum = batch.reduce((total, place) => total + lengths[place], 0);
        expect(batch.length === 1 || sum <= tokens).toBe(true);
      }
    }),
  );
});
