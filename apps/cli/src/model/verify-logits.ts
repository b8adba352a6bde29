import { type CompareModelsOptions, compareModels, type ModelDifference } from '@prune/bert-infer';
import { type InferenceOptions, withBert } from './load-bert.js';

/** The notebook's own sanity check: seeded random tokens through two files, every bit of the logits compared. Gives the first difference. */
export function verifyLogits(
  a: string,
  b: string,
  inference: InferenceOptions = {},
  options: CompareModelsOptions = {},
): Promise<ModelDifference | undefined> {
  // What the first model notes would hold for both.
  return withBert(a, inference, (first) =>
    withBert(b, { ...inference, quiet: true }, (second) => compareModels(first, second, options)),
  );
}
