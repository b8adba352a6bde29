import type { PoolingMode } from '@prune/core';
import type { PackedBatch } from '../batch/pack-batch.js';

/**
 * Makes one row of each sequence's attended tokens: `hidden` float32 `[tokens, width]` to `[batch, modes * width]`, the
 * modes one after the other. Sums are in float64, in the order of the tokens.
 * Source: sentence-transformers 5, Pooling.
 */
export function poolTokens(
  hidden: Float32Array,
  { batch, lengths, keyLengths }: PackedBatch,
  width: number,
  modes: readonly PoolingMode[],
): Float32Array<ArrayBuffer> {
  const pooled = new Float32Array(batch * modes.length * width);
  let first = 0;
  let row = 0;
  for (let sequence = 0; sequence < batch; sequence++) {
    const tokens = hidden.subarray(first * width, (first + keyLengths[sequence]) * width);
    for (const mode of modes) POOLINGS[mode](tokens, pooled.subarray(row * width, ++row * width));
    first += lengths[sequence];
  }
  return pooled;
}

/** Pools `tokens`, `[tokens, row.length]`, into `row`. */
type Pooling = (tokens: Float32Array, row: Float32Array) => void;

const POOLINGS: Readonly<Record<PoolingMode, Pooling>> = {
  cls: (tokens, row) => row.set(tokens.subarray(0, row.length)),
  lasttoken: (tokens, row) => row.set(tokens.subarray(tokens.length - row.length)),
  max(tokens, row) {
    row.set(tokens.subarray(0, row.length));
    for (let i = row.length; i < tokens.length; i++) {
      const column = i % row.length;
      row[column] = Math.max(row[column], tokens[i]);
    }
  },
  mean: weighted(
    (count) => count,
    () => 1,
  ),
  mean_sqrt_len_tokens: weighted(Math.sqrt, () => 1),
  weightedmean: weighted(
    (count) => (count * (count + 1)) / 2,
    (token) => token + 1,
  ),
};

/** The sum of the tokens, each times its weight, over a divisor that depends on their number. */
function weighted(divisor: (count: number) => number, weight: (token: number) => number): Pooling {
  return (tokens, row) => {
    const width = row.length;
    const count = tokens.length / width;
    for (let column = 0; column < width; column++) {
      let sum = 0;
      for (let token = 0; token < count; token++) sum += weight(token) * tokens[token * width + column];
      row[column] = sum / divisor(count);
    }
  };
}
