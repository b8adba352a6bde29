import { checkAborted } from '@prune/core';
import type { BertModel } from '../model/bert-model.js';
import { type EncodeTextOptions, encodeText } from './encode-text.js';
import { modelInputs } from './model-inputs.js';

/** Options of {@link embed}. */
export interface EmbedOptions extends EncodeTextOptions {
  /** Scale to length 1, as sentence-transformers' models mostly do. Default: false. */
  readonly normalize?: boolean;
  readonly signal?: AbortSignal;
}

/**
 * A sentence embedding: the mean of the last layer over all tokens, special tokens included, float32 `[hiddenSize]`. One text is one
 * forward pass, so it does not depend on other texts. Errors as {@link encodeText}'s and the model's.
 */
export async function embed(model: BertModel, text: string, options: EmbedOptions = {}): Promise<Float32Array> {
  checkAborted(options.signal);
  const encoding = encodeText(await model.tokenizer(), model.config, text, undefined, options);
  const { data } = await model.meanPooled(modelInputs(model, encoding));
  if (options.normalize !== true) return data;
  let squares = 0;
  for (const value of data) squares += value * value;
  const length = Math.sqrt(squares);
  return length === 0 ? data : data.map((value) => value / length);
}
