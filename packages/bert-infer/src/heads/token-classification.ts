import type { ParameterNames } from '@prune/core';
import { scatterTokens } from '../batch/scatter-tokens.js';
import type { BertConfig } from '../config/bert-config.js';
import type { ModuleReader } from '../weights/read-modules.js';
import type { Head, LoadLinear } from './head.js';
import { labelCount } from './label-count.js';

/** `classifier` on every token. */
export async function tokenClassificationHead(
  modules: ModuleReader,
  names: ParameterNames,
  config: BertConfig,
  load: LoadLinear,
): Promise<Head> {
  const name = names.tokenClassification;
  const classifier = load(await modules.linear(name, labelCount(config), config.hiddenSize), name);
  return {
    name: 'token-classification',
    logits: (hidden, batch) => ({
      head: 'token-classification',
      logits: scatterTokens(classifier.apply(hidden), classifier.rows, batch),
    }),
  };
}
