import { PruneError } from '@prune/core';
import { exp } from '../math/exp.js';
import { softmax } from '../math/softmax.js';
import type { BertModel } from '../model/bert-model.js';
import type { WatchResultOptions } from '../watch-options.js';
import type { EncodeTextOptions } from './encode-text.js';
import { runTexts } from './run-texts.js';

/** Options of {@link classify}. */
export interface ClassifyOptions extends EncodeTextOptions, WatchResultOptions<(LabelScore[] | undefined)[]> {
  /** The second text of a pair: one for all texts, or one for each. */
  readonly pair?: string | readonly string[];
}

/** A label and how likely it is. */
export interface LabelScore {
  /** As config.json names it, `LABEL_3` where it does not. */
  readonly label: string;
  /** Softmax of the logits; sigmoid where config.json says that labels do not exclude each other; the logit where there is one label. */
  readonly score: number;
}

/**
 * The labels of a text, best first, by the model's sequence classification head. Several texts run in batches, as
 * {@link embed}'s do, and depend on one another as those do. Errors: `missing` without the head, and {@link
 * encodeText}'s.
 */
export function classify(model: BertModel, text: string, options?: ClassifyOptions): Promise<LabelScore[]>;
export function classify(
  model: BertModel,
  texts: readonly string[],
  options?: ClassifyOptions,
): Promise<LabelScore[][]>;
export async function classify(
  model: BertModel,
  given: string | readonly string[],
  options: ClassifyOptions = {},
): Promise<LabelScore[] | LabelScore[][]> {
  const many = Array.isArray(given);
  const asked = withPairs(many ? [...given] : [given as string], options.pair);
  const results = await runTexts('classify', model, asked, { ...options, many }, async (inputs) => {
    const { logits } = await model.logits(inputs, { head: 'sequence-classification', signal: options.signal });
    const [rows, labels] = logits.shape;
    return Array.from({ length: rows }, (_, row) => {
      const scores = probabilities(model, Array.from(logits.data.subarray(row * labels, (row + 1) * labels)));
      return scores.map((score, id) => ({ label: labelOf(model, id), score })).sort((a, b) => b.score - a.score);
    });
  });
  return many ? results : results[0];
}

function withPairs(texts: readonly string[], pair: ClassifyOptions['pair']) {
  if (!Array.isArray(pair)) return texts.map((text) => ({ text, pair: pair as string | undefined }));
  if (pair.length !== texts.length) {
    throw new PruneError('invalid-argument', {
      where: 'classify',
      what: 'pair',
      got: `${pair.length} texts`,
      wanted: `one text, or ${texts.length}`,
    });
  }
  return texts.map((text, i) => ({ text, pair: pair[i] as string }));
}

function probabilities({ config }: BertModel, logits: readonly number[]): number[] {
  if (config.multiLabel) return logits.map((logit) => 1 / (1 + exp(-logit)));
  return logits.length === 1 ? [...logits] : softmax(logits);
}

/** A label's name by its number. */
export function labelOf({ config }: BertModel, id: number): string {
  return config.labels[id] ?? `LABEL_${id}`;
}
