import { isPruneError, locateError, Pacer } from '@prune/core';
import type { Encoding } from '@prune/tokenizer';
import { batchTokens } from '../batch/batch-tokens.js';
import { cutBatches } from '../batch/cut-batches.js';
import type { ModelInputs } from '../batch/pack-batch.js';
import type { BertModel } from '../model/bert-model.js';
import { checkModel } from '../model/check-model.js';
import type { WatchResultOptions } from '../watch-options.js';
import { checkText } from './check-text.js';
import { encodeText, type TextLengthOptions } from './encode-text.js';
import { modelInputs } from './model-inputs.js';

/** One input of the model: a text, or two. */
export interface TextInput {
  readonly text: string;
  readonly pair?: string;
}

/** Options of {@link runTexts}. */
export interface RunTextsOptions<T> extends TextLengthOptions, WatchResultOptions<(T | undefined)[]> {
  /** Whether the caller gave an array: errors about one of the texts then say which one. */
  readonly many: boolean;
}

/**
 * Encodes texts, hands them to `run` in batches, and gives the results in the order of the texts. Progress counts
 * texts; the result so far has `undefined` for texts whose batch has not run. Throws `invalid-argument` for what is not
 * a text, `aborted`, and as {@link encodeText}; where there are many, with the text's place.
 */
export async function runTexts<T>(
  where: string,
  model: BertModel,
  texts: readonly TextInput[],
  { signal, onProgress, many, ...bounds }: RunTextsOptions<T>,
  run: (inputs: ModelInputs, encodings: readonly Encoding[]) => Promise<readonly T[]>,
): Promise<T[]> {
  checkModel(where, model);
  const pacer = new Pacer();
  for (const [place, { text, pair }] of texts.entries()) {
    checkText(where, 'text', text, many ? place : undefined);
    if (pair !== undefined) checkText(where, 'pair', pair, many ? place : undefined);
  }
  await pacer.pause(signal);
  if (texts.length === 0) return [];
  const tokenizer = await model.tokenizer();
  const encodings: Encoding[] = [];
  for (const [place, { text, pair }] of texts.entries()) {
    try {
      encodings.push(await encodeText(tokenizer, model.config, text, pair, bounds, pacer, signal));
    } catch (error) {
      throw many && !isPruneError(error, 'aborted') ? locateError(error, { text: place }) : error;
    }
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
