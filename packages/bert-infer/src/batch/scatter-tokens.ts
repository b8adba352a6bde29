import type { Tensor } from '@prune/core';
import type { PackedBatch } from './pack-batch.js';

/** Puts rows of `width` numbers a token at the tokens' places: `[batch, length, width]`, 0 where no token is. */
export function scatterTokens(
  rows: Float32Array,
  width: number,
  { places, batch, length }: PackedBatch,
): Tensor<'float32'> {
  const data = new Float32Array(batch * length * width);
  for (let token = 0; token < places.length; token++) {
    data.set(rows.subarray(token * width, (token + 1) * width), places[token] * width);
  }
  return { dtype: 'float32', shape: [batch, length, width], data };
}
