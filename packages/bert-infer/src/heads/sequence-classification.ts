import type { ParameterNames } from '@prune/core';
import type { PackedBatch } from '../batch/pack-batch.js';
import type { BertConfig } from '../config/bert-config.js';
import { tanh } from '../math/tanh.js';
import type { ModuleReader } from '../weights/read-modules.js';
import type { Head, LoadLinear } from './head.js';
import { labelCount } from './label-count.js';

/** The first token's hidden state through a dense layer, tanh (DistilBERT: ReLU) and `classifier`. */
export async function sequenceClassificationHead(
  modules: ModuleReader,
  names: ParameterNames,
  config: BertConfig,
  load: LoadLinear,
): Promise<Head> {
  const { dense: denseName, activation, classifier: classifierName } = names.sequenceClassification;
  const { hiddenSize } = config;
  const dense = load(await modules.linear(denseName, hiddenSize, hiddenSize), denseName);
  const classifier = load(await modules.linear(classifierName, labelCount(config), hiddenSize), classifierName);
  return {
    name: 'sequence-classification',
    logits(hidden, batch) {
      const pooled = dense.apply(firstTokens(hidden, batch, hiddenSize));
      for (let i = 0; i < pooled.length; i++) {
        pooled[i] = activation === 'tanh' ? tanh(pooled[i]) : Math.max(pooled[i], 0);
      }
      const data = classifier.apply(pooled) as Float32Array<ArrayBuffer>;
      return {
        head: 'sequence-classification',
        logits: { dtype: 'float32', shape: [batch.batch, classifier.rows], data },
      };
    },
  };
}

/** The hidden state at place 0 of each sequence; of its first attended token where place 0 is padding that was skipped. */
function firstTokens(hidden: Float32Array, { lengths, places, length }: PackedBatch, width: number): Float32Array {
  const first = new Float32Array(lengths.length * width);
  let begin = 0;
  for (let sequence = 0; sequence < lengths.length; sequence++) {
    const at = places.indexOf(sequence * length, begin);
    const token = at === -1 || at >= begin + lengths[sequence] ? begin : at;
    first.set(hidden.subarray(token * width, (token + 1) * width), sequence * width);
    begin += lengths[sequence];
  }
  return first;
}
