import { expect, test } from 'vitest';
import { bertConfig } from '../config/bert-config.js';
import { packBatch } from './pack-batch.js';
import { scatterTokens } from './scatter-tokens.js';

const config = bertConfig({ vocab_size: 10 });

test('no sequence', () => {
  expect(scatterTokens(new Float32Array(0), 2, packBatch({ input_ids: [] }, config, 'skip'))).toEqual({
    dtype: 'float32',
    shape: [0, 0, 2],
    data: new Float32Array(0),
  });
});

test('places that were skipped are 0, at the end of a short row and where a row is masked', () => {
  const inputs = {
    input_ids: [
      [1, 2, 3],
      [4, 5],
    ],
    attention_mask: [
      [0, 1, 1],
      [1, 1],
    ],
  };
  const rows = Float32Array.of(1, -1, 2, -2, 3, -3, 4, -4);
  expect(scatterTokens(rows, 2, packBatch(inputs, config, 'skip'))).toEqual({
    dtype: 'float32',
    shape: [2, 3, 2],
    data: Float32Array.of(0, 0, 1, -1, 2, -2, 3, -3, 4, -4, 0, 0),
  });
});
