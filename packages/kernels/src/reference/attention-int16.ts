import { PruneError } from '@prune/state-dict';
import { type AttentionInput, exponentials, type HeadSlice, headSlices } from './attention.js';
import { ROUNDING_MAGIC } from './exp.js';

const { fround } = Math;

/** The largest code of probabilities and values. Probabilities of a row sum to about this, so their products with values stay below 2^31. */
const MAX_CODE = 32767;

/**
 * Attention with integer sums: queries, keys and values are quantized to at most 16 bits, symmetric, one scale for each head of each
 * sequence, probabilities to 15 bits; both products are exact in int32, so they are the same in any order. Softmax is the float32 one.
 */
export function attentionInt16(input: AttentionInput): Float32Array {
  const context = new Float32Array(input.query.length);
  for (const head of headSlices(input)) attendHead(input, head, context);
  return context;
}

/** The largest code of queries and keys: `size` products of two such codes stay below 2^31. */
export function scoreCode(size: number): number {
  return Math.min(MAX_CODE, Math.floor(Math.sqrt((2 ** 31 - 1) / size)));
}

function attendHead({ query, key, value, width }: AttentionInput, head: HeadSlice, context: Float32Array) {
  const { begin, tokens, keys, size } = head;
  const limit = scoreCode(size);
  const q = quantize(query, head, width, tokens, limit);
  const k = quantize(key, head, width, keys, limit);
  const v = quantize(value, head, width, keys, MAX_CODE);
  const scoreScale = fround(fround(q.scale * k.scale) * fround(1 / fround(Math.sqrt(size))));
  const contextScale = fround(v.scale * fround(1 / MAX_CODE));
  const scores = new Float32Array(keys);
  for (let token = 0; token < tokens; token++) {
    for (let j = 0; j < keys; j++) {
      let dot = 0;
      for (let i = 0; i < size; i++) dot += q.codes[token * size + i] * k.codes[j * size + i];
      scores[j] = fround(dot) * scoreScale;
    }
    const inverse = fround(MAX_CODE / exponentials(scores));
    for (let j = 0; j < keys; j++) scores[j] = rounded(fround(scores[j] * inverse));
    for (let i = 0; i < size; i++) {
      let mixed = 0;
      for (let j = 0; j < keys; j++) mixed += scores[j] * v.codes[j * size + i];
      context[begin + token * width + i] = fround(mixed) * contextScale;
    }
  }
}

/** The first `rows` rows of a head as codes of magnitude `limit` at most, `[rows, size]`; a head of zeros has scale 0. */
function quantize(x: Float32Array, { begin, size }: HeadSlice, width: number, rows: number, limit: number) {
  let largest = 0;
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < size; i++) largest = Math.max(largest, Math.abs(x[begin + row * width + i]));
  }
  if (!Number.isFinite(largest)) {
    throw new PruneError('not-finite', {
      where: 'kernels',
      what: 'attention input',
      got: largest,
      wanted: 'finite numbers',
    });
  }
  const inverse = largest === 0 ? 0 : Math.min(fround(limit / largest), MAX_FLOAT);
  const codes = new Int16Array(rows * size);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < size; i++) {
      // At most `limit`: both roundings together add less than half a step.
      codes[row * size + i] = rounded(fround(x[begin + row * width + i] * inverse));
    }
  }
  return { codes, scale: fround(largest / limit) };
}

const MAX_FLOAT = fround(3.4028234663852886e38);

function rounded(x: number): number {
  return fround(fround(x + ROUNDING_MAGIC) - ROUNDING_MAGIC);
}
