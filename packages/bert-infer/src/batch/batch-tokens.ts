import type { BertConfig } from '../config/bert-config.js';

/**
 * Multiplications of a dense layer that a batch may take: 256 tokens of BERT-base, 1,024 of a model with half its
 * width. BERT-base at 6 % density takes about 25 us for a token of a layer (README of `@prune/kernels`), so 6 ms for such
 * a batch, which leaves room for denser weights and slower machines below the 50 ms that are promised.
 */
const MULTIPLICATIONS = 256 * (4 * 768 * 768 + 2 * 768 * 3072);

/** For models so small that a batch of texts would otherwise take much memory. */
const MOST_TOKENS = 8192;

/**
 * Tokens of a batch that the library cuts itself. Follows from the config alone, never from a clock: where activations
 * are quantized per tensor, results depend on the batch, and must be the same every time.
 */
export function batchTokens({ hiddenSize, intermediateSize }: BertConfig): number {
  const aToken = 4 * hiddenSize * hiddenSize + 2 * hiddenSize * intermediateSize;
  return Math.max(1, Math.min(MOST_TOKENS, Math.floor(MULTIPLICATIONS / aToken)));
}
