import { exp } from './exp.js';

// This file defines the order of every sum in attention, and the kernels add up in the same order, so that all of them
// give the same bits. To change an order, change it in both places; the tests in test/ compare them bit for bit.
//
//     sum                                    defined by    implemented by
//     of a score, over features              attendHead    products in assembly/products.ts
//     of the exponentials, over keys         exponentials  exponentialsOf in assembly/attention.ts
//     of a context, over keys                attendHead    products in assembly/products.ts
//
// attention-int16.ts uses `exponentials` too. Its sums of products are exact integers, which no order changes. Only the
// sum of the squares of a norm has an order of its own: quantizeTokens there, normOf in assembly/attention-int16.ts.

const { fround } = Math;

/** What both attention modes read. Everything float32 `[tokens, width]`, a head's features side by side. */
export interface AttentionInput {
  readonly query: Float32Array;
  readonly key: Float32Array;
  readonly value: Float32Array;
  readonly width: number;
  readonly heads: number;
  readonly lengths: ArrayLike<number>;
  readonly keyLengths: ArrayLike<number>;
}

/** One head of one sequence: where its features start in the first row, how many rows and keys it has, and its features' number. */
export interface HeadSlice {
  readonly begin: number;
  readonly tokens: number;
  readonly keys: number;
  readonly size: number;
}

/**
 * Scaled dot-product attention in float32, the order of every operation specified: q * (1 / sqrt(size)) first, sums over features and keys
 * in ascending order from 0, `context = sum(e^(s - max) * v) / sum(e^(s - max))`.
 */
export function attention(input: AttentionInput): Float32Array {
  const context = new Float32Array(input.query.length);
  for (const head of headSlices(input)) attendHead(input, head, context);
  return context;
}

/** Every head of every sequence. */
export function* headSlices({ width, heads, lengths, keyLengths }: AttentionInput): Generator<HeadSlice> {
  const size = width / heads;
  let token = 0;
  for (let sequence = 0; sequence < lengths.length; sequence++) {
    for (let head = 0; head < heads; head++) {
      yield { begin: token * width + head * size, tokens: lengths[sequence], keys: keyLengths[sequence], size };
    }
    token += lengths[sequence];
  }
}

function attendHead({ query, key, value, width }: AttentionInput, head: HeadSlice, context: Float32Array) {
  const { begin, tokens, keys, size } = head;
  const scale = fround(1 / fround(Math.sqrt(size)));
  const scores = new Float32Array(keys);
  const scaled = new Float32Array(size);
  for (let token = 0; token < tokens; token++) {
    const at = begin + token * width;
    for (let i = 0; i < size; i++) scaled[i] = query[at + i] * scale;
    for (let k = 0; k < keys; k++) {
      let dot = 0;
      for (let i = 0; i < size; i++) dot = fround(dot + fround(scaled[i] * key[begin + k * width + i]));
      scores[k] = dot;
    }
    const sum = exponentials(scores);
    for (let i = 0; i < size; i++) {
      let mixed = 0;
      for (let k = 0; k < keys; k++) mixed = fround(mixed + fround(scores[k] * value[begin + k * width + i]));
      context[at + i] = mixed / sum;
    }
  }
}

/** Replaces scores by `e^(score - max)` and gives their sum. */
export function exponentials(scores: Float32Array): number {
  let max = scores[0];
  for (const score of scores) if (max < score) max = score;
  let sum = 0;
  for (let k = 0; k < scores.length; k++) {
    scores[k] = exp(fround(scores[k] - max));
    sum = fround(sum + scores[k]);
  }
  return sum;
}
