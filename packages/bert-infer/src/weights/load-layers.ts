import { Pacer, type ParameterNames } from '@prune/core';
import type { EncoderLayer } from '@prune/kernels';
import type { BertConfig } from '../config/bert-config.js';
import type { WatchOptions } from '../watch-options.js';
import type { ModuleReader } from './read-modules.js';

/** Every layer's modules, each checked against the config, one layer in memory at a time. Progress counts layers. */
export async function* loadLayers(
  modules: ModuleReader,
  names: ParameterNames,
  { layers, hiddenSize, intermediateSize }: BertConfig,
  { signal, onProgress }: WatchOptions,
): AsyncGenerator<EncoderLayer, void, undefined> {
  const pacer = new Pacer();
  const linear = async (name: string, rows: number, columns: number) => {
    await pacer.pause(signal);
    return modules.layerLinear(name, rows, columns);
  };
  for (let index = 0; index < layers; index++) {
    const layer = names.layer(index);
    yield {
      query: await linear(layer.query, hiddenSize, hiddenSize),
      key: await linear(layer.key, hiddenSize, hiddenSize),
      value: await linear(layer.value, hiddenSize, hiddenSize),
      attentionOutput: await linear(layer.attentionOutput, hiddenSize, hiddenSize),
      attentionNorm: await modules.layerNorm(layer.attentionNorm, hiddenSize),
      intermediate: await linear(layer.intermediate, intermediateSize, hiddenSize),
      output: await linear(layer.output, hiddenSize, intermediateSize),
      outputNorm: await modules.layerNorm(layer.outputNorm, hiddenSize),
    };
    // The engine asks for the next layer once it has taken in this one.
    onProgress?.({ done: index + 1, total: layers });
  }
}
