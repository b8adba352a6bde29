import { Pacer } from '@prune/core';
import type { Encoding } from '@prune/tokenizer';
import { batchTokens } from '../batch/batch-tokens.js';
import { cutBatches } from '../batch/cut-batches.js';
import type { ModelInputs } from '../batch/pack-batch.js';
import type { BertModel } from '../model/bert-model.js';
import type { WatchResultOptions } from '../watch-options.js';
import { checkText } from './check-text.js';
import { encodeText, type TextLengthOptions } from './encode-text.js';
import { modelInputs } from './model-inputs.js';

/** One input of the model: a text, or two. */
export interface TextInput {
  readonly text: string;
  readonly pair?: string;
}

/**
 * Encodes texts, hands them to `run` in batches, and gives the results in the order of the texts. Progress counts
 * texts; the result so far has `undefined` for texts whose batch has not run. Throws `invalid-argument` for what is not
 * a text, `aborted`, and as {@link encodeText}.
 */
export async function runTexts<T>(
  where: string,
  model: BertModel,
  texts: readonly TextInput[],
  { signal, onProgress, ...bounds }: TextLengthOptions & WatchResultOptions<(T | undefined)[]>,
  run: (inputs: ModelInputs, encodings: readonly Encoding[]) => Promise<readonly T[]>,
): Promise<T[]> {
  const pacer = new Pacer();
  for (const { text, pair } of texts) {
    checkText(where, 'text', text);
    if (pair !== undefined) checkText(where, 'pair', pair);
  }
  await pacer.pause(signal);
  if (texts.length === 0) return [];
  const tokenizer = await model.tokenizer();
  const encodings: Encoding[] = [];
  for (const { text, pair } of texts) {
    encodings.push(await encodeText(tokenizer, model.config, text, pair, bounds, pacer, signal));
  }
  const results: T[] = [];
  const soFar = () => Array.from(texts, (_, place): T | undefined => results[place]);
  let done = 0;
  const lengths = encodings.map(({ ids }) => ids.length);
  for (const places of cutBatches(lengths, batchTokens(model.config))) {
    await pacer.pause(signal);
    const batch = places.map((place) => encodings[place]);
    const found = await run(modelInputs(model, batch), batch);
    places.forEach((place, i) => {
      results[place] = found[i];
    });
    done += places.length;
    onProgress?.({ done, total: texts.length }, soFar);
  }
  return results;
}
