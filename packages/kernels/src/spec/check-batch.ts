import { PruneError } from '@prune/core';

/** A batch that was checked. */
export interface Batch {
  readonly tokens: number;
  readonly lengths: Int32Array;
  readonly keyLengths: Int32Array;
}

/**
 * Tokens of one forward pass at most: 512 sequences of 512 tokens. BERT-base needs about 30 KB of working memory a token, and all memory
 * of an engine is one WebAssembly memory of 4 GiB at most, weights included.
 */
export const MAX_TOKENS = 2 ** 16;

/** Checks the arguments of a forward pass, but for the values. Throws `mismatch`, `invalid-argument`, `limit`. */
export function checkBatch(
  hidden: Float32Array,
  width: number,
  lengths: ArrayLike<number>,
  keyLengths: ArrayLike<number> = lengths,
): Batch {
  if (keyLengths.length !== lengths.length) {
    fail('mismatch', 'keyLengths do not fit lengths', keyLengths.length, lengths.length);
  }
  let tokens = 0;
  for (let i = 0; i < lengths.length; i++) {
    const [length, keys] = [lengths[i], keyLengths[i]];
    if (!(Number.isSafeInteger(length) && length >= 0))
      fail('invalid-argument', `lengths[${i}]`, length, 'an integer >= 0');
    if (!(Number.isSafeInteger(keys) && keys <= length && keys >= Math.min(1, length))) {
      fail('invalid-argument', `keyLengths[${i}]`, keys, `an integer from ${Math.min(1, length)} to ${length}`);
    }
    tokens += length;
  }
  if (tokens > MAX_TOKENS) fail('limit', 'too many tokens in one pass', tokens, `at most ${MAX_TOKENS}`);
  if (!(hidden instanceof Float32Array) || hidden.length !== tokens * width) {
    fail(
      'mismatch',
      'hidden states do not fit the lengths',
      `${hidden?.length} elements`,
      `${tokens} x ${width} float32`,
    );
  }
  return { tokens, lengths: Int32Array.from(lengths), keyLengths: Int32Array.from(keyLengths) };
}

/** Throws `not-finite` when a value of float32 `[tokens, width]`, of the module `tensor`, is NaN or infinite. */
export function checkFinite(values: Float32Array, what: string, tensor?: string): void {
  // An exponent of ones; on the bits, because a sum of floats would wait for each addition.
  const bits = new Int32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < bits.length; i++) {
    if ((bits[i] & 0x7f800000) === 0x7f800000) fail('not-finite', what, String(values[i]), 'finite numbers', tensor);
  }
}

function fail(
  code: 'mismatch' | 'invalid-argument' | 'limit' | 'not-finite',
  what: string,
  got: string | number | undefined,
  wanted: string | number,
  tensor?: string,
): never {
  throw new PruneError(code, { where: 'kernels', what, got, wanted, tensor });
}
