import { checkAborted, firstDifference, PruneError, type Tensor } from '@prune/core';
import type { BertModel } from '../model/bert-model.js';
import { randomTokens } from './random-tokens.js';

/** Options of {@link compareModels}. */
export interface CompareModelsOptions {
  /** Batches to run. */
  readonly batches?: number;
  /** Sequences of a batch. */
  readonly batchSize?: number;
  /** Tokens of a sequence, or as many as both models have positions for. */
  readonly length?: number;
  readonly seed?: number;
  readonly signal?: AbortSignal;
  /** Called after each batch that was equal. */
  readonly onBatch?: (batch: number) => void;
}

/** The notebook's own sanity check. */
export const DEFAULT_COMPARE_MODELS_OPTIONS = {
  batches: 25,
  batchSize: 32,
  length: 128,
  seed: 0,
} as const satisfies CompareModelsOptions;

/** Where two models first compute different bits. */
export interface ModelDifference {
  readonly batch: number;
  /** The output: `start_logits`, `logits`, `last_hidden_state`, ... */
  readonly output: string;
  /** In words, e.g. `element [3, 17] is 0.25, not 0.5`. */
  readonly what: string;
}

/**
 * Runs seeded random tokens through two models and compares every bit of their logits, of the last hidden states where there is no head.
 * Gives the first difference, `undefined` when there is none. Throws `mismatch` for models that do not take the same inputs or do not have
 * the same first head.
 */
export async function compareModels(
  a: BertModel,
  b: BertModel,
  options: CompareModelsOptions = {},
): Promise<ModelDifference | undefined> {
  const { batches, batchSize, seed } = { ...DEFAULT_COMPARE_MODELS_OPTIONS, ...options };
  for (const [what, got, wanted] of [
    ['vocabulary', b.config.vocabSize, a.config.vocabSize],
    ['head', b.heads[0] ?? 'none', a.heads[0] ?? 'none'],
  ]) {
    if (got !== wanted)
      throw new PruneError('mismatch', { where: 'compare', what: `models differ in ${what}`, got, wanted });
  }
  const length = Math.min(
    options.length ?? DEFAULT_COMPARE_MODELS_OPTIONS.length,
    a.config.maxLength,
    b.config.maxLength,
  );
  for (let batch = 0; batch < batches; batch++) {
    checkAborted(options.signal);
    const rows = randomTokens(seed + batch, batchSize, length, a.config.vocabSize);
    const difference = await firstDifference(await outputsOf(a, rows), await outputsOf(b, rows));
    if (difference !== undefined) return { batch, output: difference.name, what: difference.what };
    options.onBatch?.(batch);
  }
  return undefined;
}

async function outputsOf(model: BertModel, rows: Int32Array[]): Promise<Map<string, Tensor>> {
  if (model.heads.length === 0) {
    return new Map([['last_hidden_state', (await model.hiddenStates({ input_ids: rows })).at(-1)!]]);
  }
  const outputs = new Map<string, Tensor>();
  for (const [name, value] of Object.entries(await model.logits({ input_ids: rows }))) {
    if (typeof value === 'object') outputs.set(name, value);
  }
  return outputs;
}
