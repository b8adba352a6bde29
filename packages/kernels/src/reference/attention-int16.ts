import { PruneError } from '@prune/core';
import { type AttentionInput, exponentials, type HeadSlice, headSlices } from './attention.js';
import { ROUNDING_MAGIC } from './exp.js';

const { fround } = Math;

/** The norm of a query's or a key's codes: their sums of products stay below 2^31 (Cauchy and Schwarz), and each below 2^15. */
const SCORE_CODE = 32000;
/** A smaller norm counts as 0: the squares of what it is made of may have lost bits. */
const SMALLEST_NORM = 2 ** -40;
/** The largest code of values, and of probabilities. */
const VALUE_CODE = 16383;
const LARGEST_CODE = 32767;
/** What the codes of a query's probabilities add up to, less the keys, whose roundings add up to half of them: times VALUE_CODE it stays below 2^31. */
const WHOLE = 131_064;

/**
 * Attention with integer sums: queries and keys are quantized to 16 bits, symmetric, one scale each; values to 15 bits, one scale for a head of a
 * sequence; probabilities to at most 15 bits, as finely as their sum allows. Both products are exact in int32, so they are the same in any order.
 * Softmax is the float32 one.
 */
export function attentionInt16(input: AttentionInput): Float32Array {
  const context = new Float32Array(input.query.length);
  for (const head of headSlices(input)) attendHead(input, head, context);
  return context;
}

function attendHead({ query, key, value, width }: AttentionInput, head: HeadSlice, context: Float32Array) {
  const { begin, tokens, keys, size } = head;
  const q = quantizeTokens(query, head, width, tokens);
  const k = quantizeTokens(key, head, width, keys);
  const v = quantizeValues(value, head, width);
  const scale = fround(1 / fround(Math.sqrt(size)));
  const scores = new Float32Array(keys);
  for (let token = 0; token < tokens; token++) {
    const unit = fround(q.units[token] * scale);
    for (let j = 0; j < keys; j++) {
      let dot = 0;
      for (let i = 0; i < size; i++) dot += q.codes[token * size + i] * k.codes[j * size + i];
      scores[j] = fround(fround(dot) * unit) * k.units[j];
    }
    const sum = exponentials(scores);
    const inverse = Math.min(fround(fround(WHOLE - keys) / sum), LARGEST_CODE);
    const contextUnit = fround(v.unit / fround(sum * inverse));
    for (let j = 0; j < keys; j++) scores[j] = rounded(fround(scores[j] * inverse));
    for (let i = 0; i < size; i++) {
      let mixed = 0;
      for (let j = 0; j < keys; j++) mixed += scores[j] * v.codes[j * size + i];
      context[begin + token * width + i] = fround(mixed) * contextUnit;
    }
  }
}

/** The first `rows` rows of a head as codes `[rows, size]`, each row's of the norm SCORE_CODE, and what a code of each row is worth. */
function quantizeTokens(x: Float32Array, { begin, size }: HeadSlice, width: number, rows: number) {
  const codes = new Int16Array(rows * size);
  const units = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    const at = begin + row * width;
    let square = 0;
    for (let i = 0; i < size; i++) square = fround(square + fround(x[at + i] * x[at + i]));
    const norm = checked(fround(Math.sqrt(square)));
    units[row] = norm * fround(1 / SCORE_CODE);
    const inverse = norm < SMALLEST_NORM ? 0 : fround(SCORE_CODE / norm);
    for (let i = 0; i < size; i++) codes[row * size + i] = rounded(fround(x[at + i] * inverse));
  }
  return { codes, units };
}

/** A head's values as codes `[keys, size]`; a head of zeros has the unit 0. */
function quantizeValues(x: Float32Array, { begin, keys, size }: HeadSlice, width: number) {
  let largest = 0;
  for (let row = 0; row < keys; row++) {
    for (let i = 0; i < size; i++) largest = Math.max(largest, Math.abs(x[begin + row * width + i]));
  }
  const inverse = checked(largest) === 0 ? 0 : Math.min(fround(VALUE_CODE / largest), MAX_FLOAT);
  const codes = new Int16Array(keys * size);
  for (let row = 0; row < keys; row++) {
    for (let i = 0; i < size; i++) codes[row * size + i] = rounded(fround(x[begin + row * width + i] * inverse));
  }
  return { codes, unit: inverse === 0 ? 0 : fround(1 / inverse) };
}

function checked(magnitude: number): number {
  if (Number.isFinite(magnitude)) return magnitude;
  throw new PruneError('not-finite', {
    where: 'kernels',
    what: 'attention input, or a norm of it,',
    got: magnitude,
    wanted: 'finite numbers',
  });
}

const MAX_FLOAT = fround(3.4028234663852886e38);

function rounded(x: number): number {
  return fround(fround(x + ROUNDING_MAGIC) - ROUNDING_MAGIC);
}
