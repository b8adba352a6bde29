import type { BertModel } from '../model/bert-model.js';
import type { WatchResultOptions } from '../watch-options.js';
import type { EncodeTextOptions } from './encode-text.js';
import { runTexts } from './run-texts.js';

/** Options of {@link embed}. */
export interface EmbedOptions extends EncodeTextOptions, WatchResultOptions<(Float32Array | undefined)[]> {
  /** Scale to length 1, as sentence-transformers' models mostly do. Default: false. */
  readonly normalize?: boolean;
}

/**
 * A sentence embedding: the mean of the last layer over all tokens, special tokens included, float32 `[hiddenSize]`.
 * Several texts run in batches, sorted by length, and give their embeddings in the order of the texts; progress counts
 * texts, and the result so far has `undefined` for texts that have not run. Where activations are quantized per tensor, their range spans a batch, so that a text's embedding depends a
 * little on the other texts of its group of {@link TEXTS_AT_ONCE}, as in PyTorch; the same call gives the same bits every time. With `loadModel(store, {
 * rowwise: true })` it does not depend on them. Errors as {@link encodeText}'s and the model's.
 */
export function embed(model: BertModel, text: string, options?: EmbedOptions): Promise<Float32Array>;
export function embed(model: BertModel, texts: readonly string[], options?: EmbedOptions): Promise<Float32Array[]>;
export async function embed(
  model: BertModel,
  given: string | readonly string[],
  options: EmbedOptions = {},
): Promise<Float32Array | Float32Array[]> {
  const texts = Array.isArray(given) ? [...given] : [given];
  const embeddings = await runTexts(
    'embed',
    model,
    texts.map((text) => ({ text })),
    options,
    async (inputs) => {
      const { data, shape } = await model.meanPooled(inputs, { signal: options.signal });
      const [rows, width] = shape;
      return Array.from({ length: rows }, (_, row) => {
        const vector = data.slice(row * width, (row + 1) * width);
        return options.normalize === true ? normalized(vector) : vector;
      });
    },
  );
  return Array.isArray(given) ? embeddings : embeddings[0];
}

function normalized(vector: Float32Array): Float32Array {
  let squares = 0;
  for (const value of vector) squares += value * value;
  const length = Math.sqrt(squares);
  return length === 0 ? vector : vector.map((value) => value / length);
}
