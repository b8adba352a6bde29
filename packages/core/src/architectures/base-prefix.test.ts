import { expect, test } from 'vitest';
import { basePrefix } from './base-prefix.js';

test('no names', () => {
  expect(basePrefix([])).toBe('');
});

test('the first name that has a prefix decides', () => {
  expect(basePrefix(['qa_outputs.weight', 'roberta.a', 'bert.b'])).toBe('roberta.');
  expect(basePrefix(['distilbert.embeddings.word_embeddings.weight'])).toBe('distilbert.');
  expect(basePrefix(['embeddings.word_embeddings.weight'])).toBe('');
});

test('only whole components at the beginning, and only of the families that are asked for', () => {
  expect(basePrefix(['bertish.a', 'bert', 'my.bert.a', 'electra.a'])).toBe('');
  expect(basePrefix(['roberta.a', 'bert.b'], ['bert'])).toBe('bert.');
  expect(basePrefix(['roberta.a'], ['bert', 'distilbert'])).toBe('');
});
