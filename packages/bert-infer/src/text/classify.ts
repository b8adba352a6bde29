import { checkAborted } from '@prune/core';
import { exp } from '../math/exp.js';
import { softmax } from '../math/softmax.js';
import type { BertModel } from '../model/bert-model.js';
import { type EncodeTextOptions, encodeText } from './encode-text.js';
import { modelInputs } from './model-inputs.js';

/** Options of {@link classify}. */
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

/** The labels of a text, best first, by the model's sequence classification head. Errors: `missing` without it, and {@link encodeText}'s. */
export async function classify(model: BertModel, text: string, options: ClassifyOptions = {}): Promise<LabelScore[]> {
  checkAborted(options.signal);
  const encoding = encodeText(await model.tokenizer(), model.config, text, options.pair, options);
  const { logits } = await model.logits(modelInputs(model, encoding), { head: 'sequence-classification' });
  const scores = probabilities(model, Array.from(logits.data));
  return scores.map((score, id) => ({ label: labelOf(model, id), score })).sort((a, b) => b.score - a.score);
}

function probabilities({ config }: BertModel, logits: readonly number[]): number[] {
  if (config.multiLabel) return logits.map((logit) => 1 / (1 + exp(-logit)));
  return logits.length === 1 ? [...logits] : softmax(logits);
}

/** A label's name by its number. */
export function labelOf({ config }: BertModel, id: number): string {
  return config.labels[id] ?? `LABEL_${id}`;
}
