import type { BertConfig } from '../config/bert-config.js';

/**
 * Multiplications of a dense layer that a batch may take: 64 tokens of BERT-base, 256 of a model with half its width.
 * Larger batches leave the processor's caches: 100 sentences of 12 tokens took models/mini-qa 0.91 times as long as
 * batches of 25 made by hand with this bound, and 1.14 to 1.18 times as long with four times as much.
 */
const MULTIPLICATIONS = 64 * (4 * 768 * 768 + 2 * 768 * 3072);

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
