import type { ParameterNames } from '@prune/core';
import type { EncoderLayer } from '@prune/kernels';
import type { BertConfig } from '../config/bert-config.js';
import type { ModuleReader } from './read-modules.js';

/** Every layer's modules, each checked against the config, one layer in memory at a time. */
export async function* loadLayers(
  modules: ModuleReader,
  names: ParameterNames,
  { layers, hiddenSize, intermediateSize }: BertConfig,
): AsyncGenerator<EncoderLayer, void, undefined> {
  for (let index = 0; index < layers; index++) {
    const layer = names.layer(index);
    yield {
      query: await modules.layerLinear(layer.query, hiddenSize, hiddenSize),
      key: await modules.layerLinear(layer.key, hiddenSize, hiddenSize),
      value: await modules.layerLinear(layer.value, hiddenSize, hiddenSize),
      attentionOutput: await modules.layerLinear(layer.attentionOutput, hiddenSize, hiddenSize),
      attentionNorm: await modules.layerNorm(layer.attentionNorm, hiddenSize),
      intermediate: await modules.layerLinear(layer.intermediate, intermediateSize, hiddenSize),
      output: await modules.layerLinear(layer.output, hiddenSize, intermediateSize),
      outputNorm: await modules.layerNorm(layer.outputNorm, hiddenSize),
    };
  }
}
