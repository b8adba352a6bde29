import type { EncoderLayer } from '@prune/kernels';
import type { BertConfig } from './bert-config.js';
import type { ParameterNames } from './parameter-names.js';
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
      query: await modules.linear(layer.query, hiddenSize, hiddenSize),
      key: await modules.linear(layer.key, hiddenSize, hiddenSize),
      value: await modules.linear(layer.value, hiddenSize, hiddenSize),
      attentionOutput: await modules.linear(layer.attentionOutput, hiddenSize, hiddenSize),
      attentionNorm: await modules.layerNorm(layer.attentionNorm, hiddenSize),
      intermediate: await modules.linear(layer.intermediate, intermediateSize, hiddenSize),
      output: await modules.linear(layer.output, hiddenSize, intermediateSize),
      outputNorm: await modules.layerNorm(layer.outputNorm, hiddenSize),
    };
  }
}
