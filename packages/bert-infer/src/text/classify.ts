import { checkAborted, PruneError } from '@prune/state-dict';
import { exp } from '../math/exp.js';
import { softmax } from '../math/softmax.js';
import type { BertModel } from '../model/bert-model.js';
import { type EncodeTextOptions, encodeText } from './encode-text.js';
import { modelInputs } from './model-inputs.js';

/** Options of {@link classify} and {@link classifyTokens}. */
export interface ClassifyOptions extends EncodeTextOptions {
  /** The second text of a pair. */
  readonly pair?: string;
  readonly signal?: AbortSignal;
}

/** A label and how likely it is. */
export interface LabelScore {
  /** As config.json names it, `LABEL_3` where it does not. */
  readonly label: string;
  /** Softmax of the logits; sigmoid where config.json says that labels do not exclude each other; the logit where there is one label. */
  readonly score: number;
}

/** A token with its label. */
export interface TokenLabel extends LabelScore {
  /** `text.slice(start, end)`, UTF-16 code units of the original text. */
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** The labels of a text, best first, by the model's sequence classification head. Errors: `missing` without it, and {@link encodeText}'s. */
export async function classify(model: BertModel, text: string, options: ClassifyOptions = {}): Promise<LabelScore[]> {
  checkAborted(options.signal);
  const encoding = encodeText(await model.tokenizer(), model.config, text, options.pair, options);
  const { logits } = await model.logits(modelInputs(model, encoding), { head: 'sequence-classification' });
  const scores = probabilities(model, Array.from(logits.data));
  return scores.map((score, id) => ({ label: labelOf(model, id), score })).sort((a, b) => b.score - a.score);
}

/** The best label of each token of a text, by the model's token classification head. Errors as {@link classify}'s; no pairs. */
export async function classifyTokens(
  model: BertModel,
  text: string,
  options: ClassifyOptions = {},
): Promise<TokenLabel[]> {
  checkAborted(options.signal);
  if (options.pair !== undefined) {
    throw new PruneError('invalid-argument', { where: 'classify', what: 'a model that labels tokens takes one text' });
  }
  const { ids, typeIds, starts, ends, sequence } = encodeText(
    await model.tokenizer(),
    model.config,
    text,
    undefined,
    options,
  );
  const inputs = modelInputs(model, { ids, typeIds, starts, ends, sequence });
  const { logits } = await model.logits(inputs, { head: 'token-classification' });
  const labels = logits.shape[2];
  return ids.flatMap((_, token) => {
    if (sequence[token] === -1) return [];
    const scores = softmax(Array.from(logits.data.subarray(token * labels, (token + 1) * labels)));
    const best = scores.indexOf(Math.max(...scores));
    const [start, end] = [starts[token], ends[token]];
    return [{ text: text.slice(start, end), start, end, label: labelOf(model, best), score: scores[best] }];
  });
}

function probabilities({ config }: BertModel, logits: readonly number[]): number[] {
  if (config.multiLabel) return logits.map((logit) => 1 / (1 + exp(-logit)));
  return logits.length === 1 ? [...logits] : softmax(logits);
}

function labelOf({ config }: BertModel, id: number): string {
  return config.labels[id] ?? `LABEL_${id}`;
}
