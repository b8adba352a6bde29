import type { SentencePipeline } from '@prune/core';
import type { BertModel } from '../model/bert-model.js';
import { checkModel } from '../model/check-model.js';
import { normalizeRows } from '../sentence/normalize-rows.js';
import type { WatchResultOptions } from '../watch-options.js';
import type { EncodeTextOptions } from './encode-text.js';
import { runTexts } from './run-texts.js';

/** Options of {@link embed}. */
export interface EmbedOptions extends EncodeTextOptions, WatchResultOptions<(Float32Array | undefined)[]> {
  /**
   * Scale to length 1. Default: false, but a model from a sentence-transformers folder that normalizes does so anyway.
   */
  readonly normalize?: boolean;
}

/**
 * A sentence embedding, float32: what `SentenceTransformer.encode` gives, for a model from a sentence-transformers
 * folder (`[width]` of its last module; texts that are too long are cut unless `truncate` is false), else the mean of
 * the last layer over all tokens, special tokens included (`[hiddenSize]`).
 * Several texts run in batches, sorted by length, and give their embeddings in the order of the texts; progress counts
 * texts, and the result so far has `undefined` for texts that have not run. Where activations are quantized per tensor,
 * their range spans a batch, so that a text's embedding depends a little on the other texts of its group of
 * {@link TEXTS_AT_ONCE}, as in PyTorch; the same call gives the same bits every time. With `loadModel(store, { rowwise:
 * true })` it does not depend on them. Errors as {@link encodeText}'s and the model's.
 */
export function embed(model: BertModel, text: string, options?: EmbedOptions): Promise<Float32Array>;
export function embed(model: BertModel, texts: readonly string[], options?: EmbedOptions): Promise<Float32Array[]>;
export async function embed(
  model: BertModel,
  given: string | readonly string[],
  options: EmbedOptions = {},
): Promise<Float32Array | Float32Array[]> {
  checkModel('embed', model);
  const { sentence } = model;
  const many = Array.isArray(given);
  const texts = (many ? [...given] : [given as string]).map((text) => prepared(text, sentence));
  const embeddings = await runTexts(
    'embed',
    model,
    texts.map((text) => ({ text })),
    { ...options, many, truncate: options.truncate ?? sentence !== undefined, maxTokens: sentence?.maxTokens },
    async (inputs) => {
      const { data, shape } = await model.sentenceEmbeddings(inputs, { signal: options.signal });
      const [rows, width] = shape;
      if (options.normalize === true) normalizeRows(data, width);
      return Array.from({ length: rows }, (_, row) => data.slice(row * width, (row + 1) * width));
    },
  );
  return many ? embeddings : embeddings[0];
}

/** A text as sentence-transformers hands it to its tokenizer. What is not a text is left for `runTexts` to refuse. */
function prepared(text: string, sentence: SentencePipeline | undefined): string {
  if (sentence === undefined || typeof text !== 'string') return text;
  const whole = `${sentence.prompt}${text}`.trim();
  return sentence.lowercase ? whole.toLowerCase() : whole;
}
