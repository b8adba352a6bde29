import { isPruneError } from '@prune/core';
import { expect, test } from 'vitest';
import { bertConfig } from '../config/bert-config.js';
import { type ModelInputs, packBatch } from './pack-batch.js';

const config = bertConfig({ model_type: 'bert', vocab_size: 10, max_position_embeddings: 6 });
const roberta = bertConfig({ model_type: 'roberta', vocab_size: 10, max_position_embeddings: 6, pad_token_id: 1 });
const lists = (batch: ReturnType<typeof packBatch>) =>
  Object.fromEntries(
    Object.entries(batch).map(([name, value]) => [name, typeof value === 'number' ? value : [...value]]),
  );

test('no sequences', () => {
  expect(lists(packBatch({ input_ids: [] }, config, 'skip'))).toEqual({
    ids: [],
    positions: [],
    typeIds: [],
    lengths: [],
    keyLengths: [],
    places: [],
    batch: 0,
    length: 0,
  });
});

const padded: ModelInputs = {
  input_ids: [
    [0, 5, 6],
    [7, 8],
  ],
  attention_mask: [
    [0, 1, 1],
    [1, 0],
  ],
  token_type_ids: [
    [0, 1, 0],
    [1, 0],
  ],
};

test('padding is skipped, wherever it is', () => {
  expect(lists(packBatch(padded, config, 'skip'))).toEqual({
    ids: [5, 6, 7],
    positions: [1, 2, 0],
    typeIds: [1, 0, 1],
    lengths: [2, 1],
    keyLengths: [2, 1],
    places: [1, 2, 3],
    batch: 2,
    length: 3,
  });
});

test('padding is computed, after the tokens that are attended to', () => {
  expect(lists(packBatch(padded, config, 'compute'))).toEqual({
    ids: [5, 6, 0, 7, 8],
    positions: [1, 2, 0, 0, 1],
    typeIds: [1, 0, 0, 1, 0],
    lengths: [3, 2],
    keyLengths: [2, 1],
    places: [1, 2, 0, 3, 4],
    batch: 2,
    length: 3,
  });
});

test('rows may be typed arrays', () => {
  expect([...packBatch({ input_ids: [Int32Array.of(3, 4)] }, config, 'skip').ids]).toEqual([3, 4]);
});

test('RoBERTa counts positions by ids, from after the padding', () => {
  const { positions } = packBatch({ input_ids: [[0, 1, 4, 2]] }, roberta, 'skip');
  expect([...positions]).toEqual([2, 1, 3, 4]);
});

test.each<[string, ModelInputs, string]>([
  ['an empty row', { input_ids: [[]] }, 'invalid-argument'],
  ['a row that is all padding', { input_ids: [[1]], attention_mask: [[0]] }, 'invalid-argument'],
  ['an id past the vocabulary', { input_ids: [[10]] }, 'invalid-argument'],
  ['a negative id', { input_ids: [[-1]] }, 'invalid-argument'],
  ['half an id', { input_ids: [[1.5]] }, 'invalid-argument'],
  ['NaN', { input_ids: [[Number.NaN]] }, 'invalid-argument'],
  ['a token type that there is not', { input_ids: [[1]], token_type_ids: [[2]] }, 'invalid-argument'],
  ['a mask of 2', { input_ids: [[1]], attention_mask: [[2]] }, 'invalid-argument'],
  ['fewer masks than rows', { input_ids: [[1], [1]], attention_mask: [[1]] }, 'invalid-argument'],
  ['a shorter mask', { input_ids: [[1, 1]], attention_mask: [[1]] }, 'invalid-argument'],
  ['more tokens than positions', { input_ids: [[1, 1, 1, 1, 1, 1, 1]] }, 'limit'],
])('%s', (_, inputs, code) => {
  let error: unknown;
  try {
    packBatch(inputs, config, 'skip');
  } catch (caught) {
    error = caught;
  }
  expect(isPruneError(error) && error.code).toBe(code);
});
