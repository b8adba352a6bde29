import { applyLinear, type LinearMode, rowsOf } from '../model/apply-linear.js';
import type { BertConfig } from '../model/bert-config.js';
import type { ParameterNames } from '../model/parameter-names.js';
import type { ModuleReader } from '../model/read-modules.js';
import { type Head, labelsOf, scatterTokens } from './head.js';

/** `classifier` on every token. */
export async function tokenClassificationHead(
  modules: ModuleReader,
  names: ParameterNames,
  config: BertConfig,
  mode: LinearMode,
): Promise<Head> {
  const classifier = await modules.linear(names.tokenClassification, labelsOf(config), config.hiddenSize);
  const labels = rowsOf(classifier);
  return {
    name: 'token-classification',
    logits: (hidden, batch) => ({
      head: 'token-classification',
      logits: scatterTokens(applyLinear(classifier, hidden, mode), labels, batch),
    }),
  };
}
