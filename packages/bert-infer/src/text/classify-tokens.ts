import { softmax } from '../math/softmax.js';
import type { BertModel } from '../model/bert-model.js';
import type { WatchOptions } from '../watch-options.js';
import { type LabelScore, labelOf } from './classify.js';
import type { EncodeTextOptions } from './encode-text.js';
import { runTexts } from './run-texts.js';

/** Options of {@link classifyTokens}. */
export interface ClassifyTokensOptions extends EncodeTextOptions, WatchOptions {}

/** A token with its label. */
export interface TokenLabel extends LabelScore {
  /** `text.slice(start, end)`, UTF-16 code units of the original text. */
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** The best label of each token of a text, by the model's token classification head. Errors as `classify`'s. */
export async function classifyTokens(
  model: BertModel,
  text: string,
  options: ClassifyTokensOptions = {},
): Promise<TokenLabel[]> {
  const alone = { ...options, many: false };
  const [labels] = await runTexts('classifyTokens', model, [{ text }], alone, async (inputs, [encoding]) => {
    const { ids, starts, ends, sequence } = encoding;
    const { logits } = await model.logits(inputs, { head: 'token-classification', signal: options.signal });
    const labels = logits.shape[2];
    const found = ids.flatMap((_, token): TokenLabel[] => {
      if (sequence[token] === -1) return [];
      const scores = softmax(Array.from(logits.data.subarray(token * labels, (token + 1) * labels)));
      const best = scores.indexOf(Math.max(...scores));
      const [start, end] = [starts[token], ends[token]];
      return [{ text: text.slice(start, end), start, end, label: labelOf(model, best), score: scores[best] }];
    });
    return [found];
  });
  return labels;
}
