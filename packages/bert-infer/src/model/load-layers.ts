import type { BertConfig } from './bert-config.js';
import type { ParameterNames } from './parameter-names.js';
import type { ModuleReader } from './read-modules.js';
import type { EncoderLayer } from './reference-encoder.js';

/** Every layer's modules, each checked against the config. */
export async function loadLayers(
  modules: ModuleReader,
  names: ParameterNames,
  { layers, hiddenSize, intermediateSize }: BertConfig,
): Promise<EncoderLayer[]> {
  const loaded: EncoderLayer[] = [];
  for (let index = 0; index < layers; index++) {
    const layer = names.layer(index);
    loaded.push({
      query: await modules.linear(layer.query, hiddenSize, hiddenSize),
      key: await modules.linear(layer.key, hiddenSize, hiddenSize),
      value: await modules.linear(layer.value, hiddenSize, hiddenSize),
      attentionOutput: await modules.linear(layer.attentionOutput, hiddenSize, hiddenSize),
      attentionNorm: await modules.layerNorm(layer.attentionNorm, hiddenSize),
      intermediate: await modules.linear(layer.intermediate, intermediateSize, hiddenSize),
      output: await modules.linear(layer.output, hiddenSize, intermediateSize),
      outputNorm: await modules.layerNorm(layer.outputNorm, hiddenSize),
    });
  }
  return loaded;
}
