import type { ParameterNames } from '@prune/core';
import type { BertConfig } from '../config/bert-config.js';
import type { ModuleReader } from '../weights/read-modules.js';
import { type Head, type LoadLinear, labelsOf, scatterTokens } from './head.js';

/** `classifier` on every token. */
export async function tokenClassificationHead(
  modules: ModuleReader,
  names: ParameterNames,
  config: BertConfig,
  load: LoadLinear,
): Promise<Head> {
  const name = names.tokenClassification;
  const classifier = load(await modules.linear(name, labelsOf(config), config.hiddenSize), name);
  return {
    name: 'token-classification',
    logits: (hidden, batch) => ({
      head: 'token-classification',
      logits: scatterTokens(classifier.apply(hidden), classifier.rows, batch),
    }),
  };
}
