import { firstDifference, Pacer, PruneError, type Tensor } from '@prune/core';
import { batchTokens } from '../batch/batch-tokens.js';
import type { BertModel } from '../model/bert-model.js';
import { checkModel } from '../model/check-model.js';
import type { WatchOptions } from '../watch-options.js';
import { randomTokens } from './random-tokens.js';

/** Options of {@link compareModels}. Progress counts batches that were equal. */
export interface CompareModelsOptions extends WatchOptions {
  /** Batches to run. */
  readonly batches?: number;
  /** Sequences of a batch. */
  readonly batchSize?: number;
  /** Tokens of a sequence, or as many as both models have positions for. */
  readonly length?: number;
  readonly seed?: number;
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
  checkModel('compare', a);
  checkModel('compare', b);
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
  const pacer = new Pacer();
  const { signal } = options;
  for (let batch = 0; batch < batches; batch++) {
    await pacer.pause(signal);
    const rows = randomTokens(seed + batch, batchSize, length, a.config.vocabSize);
    const difference = await firstDifference(await outputsOf(a, rows, signal), await outputsOf(b, rows, signal));
    if (difference !== undefined) return { batch, output: difference.name, what: difference.what };
    options.onProgress?.({ done: batch + 1, total: batches });
  }
  return undefined;
}

/**
 * The outputs of a batch, which runs in parts that keep the event loop only shortly. A model whose activations are
 * quantized per tensor takes the range of each part; both models are cut alike.
 */
async function outputsOf(
  model: BertModel,
  rows: readonly Int32Array[],
  signal: AbortSignal | undefined,
): Promise<Map<string, Tensor>> {
  const most = Math.max(1, Math.floor(batchTokens(model.config) / Math.max(1, rows[0]?.length ?? 0)));
  const parts: Map<string, Tensor<'float32'>>[] = [];
  for (let begin = 0; begin < rows.length; begin += most) {
    parts.push(await partOutputs(model, rows.slice(begin, begin + most), signal));
  }
  return new Map([...(parts[0]?.keys() ?? [])].map((name) => [name, joined(parts.map((part) => part.get(name)!))]));
}

async function partOutputs(model: BertModel, rows: readonly Int32Array[], signal: AbortSignal | undefined) {
  const inputs = { input_ids: rows };
  if (model.heads.length === 0) {
    return new Map([['last_hidden_state', (await model.hiddenStates(inputs, { signal })).at(-1)!]]);
  }
  const outputs = new Map<string, Tensor<'float32'>>();
  for (const [name, value] of Object.entries(await model.logits(inputs, { signal }))) {
    if (typeof value === 'object') outputs.set(name, value);
  }
  return outputs;
}

/** The rows of tensors that differ in their number of rows alone. */
function joined(parts: readonly Tensor<'float32'>[]): Tensor<'float32'> {
  const data = new Float32Array(parts.reduce((sum, part) => sum + part.data.length, 0));
  let at = 0;
  for (const part of parts) {
    data.set(part.data, at);
    at += part.data.length;
  }
  const rows = parts.reduce((sum, { shape }) => sum + shape[0], 0);
  return { dtype: 'float32', shape: [rows, ...parts[0].shape.slice(1)], data };
}
