import type { ParameterNames, QuantizationProfile } from '@prune/core';
import type { Engine } from '@prune/kernels';
import type { BertConfig } from '../config/bert-config.js';
import type { WholeTable } from '../weights/embed-tokens.js';
import type { ModuleReader } from '../weights/read-modules.js';
import type { Head, HeadName, LoadLinear } from './head.js';
import { maskedLanguageModelHead } from './masked-language-model.js';
import { questionAnsweringHead } from './question-answering.js';
import { sequenceClassificationHead } from './sequence-classification.js';
import { tokenClassificationHead } from './token-classification.js';

/** The head that a transformers class name says, e.g. `BertForQuestionAnswering`. */
const HEAD_OF_CLASS: readonly (readonly [suffix: RegExp, head: HeadName])[] = [
  [/ForQuestionAnswering$/, 'question-answering'],
  [/ForSequenceClassification$/, 'sequence-classification'],
  [/ForTokenClassification$/, 'token-classification'],
  [/For(?:MaskedLM|PreTraining)$/, 'masked-lm'],
];

/**
 * Loads every head that the model holds, the one that config.json's `architectures` names first. Linears come from
 * `load`.
 */
export async function loadHeads(
  modules: ModuleReader,
  names: ParameterNames,
  config: BertConfig,
  load: LoadLinear,
  words: WholeTable | undefined,
  engine: Pick<Engine, 'activate' | 'layerNorm'>,
  profile: QuantizationProfile,
): Promise<Head[]> {
  const named = HEAD_OF_CLASS.find(([suffix]) => config.architectures.some((name) => suffix.test(name)))?.[1];
  const heads: Head[] = [];
  if (modules.hasLinear(names.questionAnswering)) heads.push(await questionAnsweringHead(modules, names, config, load));
  const classifier = classifierKind(modules, names, named);
  if (classifier === 'sequence-classification') {
    heads.push(await sequenceClassificationHead(modules, names, config, load));
  } else if (classifier === 'token-classification') {
    heads.push(await tokenClassificationHead(modules, names, config, load));
  }
  if (modules.hasLinear(names.maskedLanguageModel.dense)) {
    heads.push(await maskedLanguageModelHead(modules, names, config, load, words, engine, profile));
  }
  return heads.sort((a, b) => Number(b.name === named) - Number(a.name === named));
}

/** Both classification heads have a Linear called `classifier`: the class name tells them apart, and the layer before it where there is none. */
function classifierKind(
  modules: ModuleReader,
  names: ParameterNames,
  named: HeadName | undefined,
): HeadName | undefined {
  const { dense, classifier } = names.sequenceClassification;
  if (named === 'token-classification' && modules.hasLinear(names.tokenClassification)) return named;
  if (modules.hasLinear(classifier) && modules.hasLinear(dense)) return 'sequence-classification';
  return modules.hasLinear(names.tokenClassification) ? 'token-classification' : undefined;
}
