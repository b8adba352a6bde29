import { PruneError } from '@prune/core';
import { MAX_TOKENS } from './check-batch.js';

/** How many rows of `columns` numbers `x` has. Throws `mismatch`, `limit`. */
export function checkTokens(x: Float32Array, columns: number): number {
  const tokens = x instanceof Float32Array ? x.length / columns : Number.NaN;
  if (!Number.isInteger(tokens)) {
    throw new PruneError('mismatch', {
      where: 'kernels',
      what: 'input does not fit the Linear',
      got: `${x?.length} elements`,
      wanted: `rows of ${columns} float32`,
    });
  }
  if (tokens > MAX_TOKENS) {
    throw new PruneError('limit', {
      where: 'kernels',
      what: 'too many tokens in one pass',
      got: tokens,
      wanted: `at most ${MAX_TOKENS}`,
    });
  }
  return tokens;
}
