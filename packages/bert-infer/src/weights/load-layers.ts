import { Pacer, type ParameterNames } from '@prune/core';
import type { EncoderLayer, LayerLinear } from '@prune/kernels';
import type { BertConfig } from '../config/bert-config.js';
import type { WatchOptions } from '../watch-options.js';
import { type ModuleReader, mismatch } from './read-modules.js';

/** What pruning left of a layer. */
export interface LayerSizes {
  readonly heads: number;
  readonly intermediateSize: number;
}

/**
 * Every layer's modules, each checked against the config, one layer in memory at a time. Progress counts layers. Heads
 * and neurons may have been pruned from a layer: how many it has left is what its own matrices say. They are appended
 * to `sizes` once the engine has the layer.
 */
export async function* loadLayers(
  modules: ModuleReader,
  names: ParameterNames,
  config: BertConfig,
  { signal, onProgress }: WatchOptions,
  sizes: LayerSizes[],
): AsyncGenerator<EncoderLayer, void, undefined> {
  const { layers, hiddenSize } = config;
  const pacer = new Pacer();
  const linear = async (name: string, rows: number | undefined, columns: number, by?: string) => {
    await pacer.pause(signal);
    return modules.layerLinear(name, rows, columns, by);
  };
  for (let index = 0; index < layers; index++) {
    const layer = names.layer(index);
    const query = await linear(layer.query, undefined, hiddenSize);
    const width = headsWidth(query, layer.query, index, config);
    const byQuery = `the rows of ${layer.query}`;
    const key = await linear(layer.key, width, hiddenSize, byQuery);
    const value = await linear(layer.value, width, hiddenSize, byQuery);
    const attentionOutput = await linear(layer.attentionOutput, hiddenSize, width, byQuery);
    const attentionNorm = await modules.layerNorm(layer.attentionNorm, hiddenSize);
    const intermediate = await linear(layer.intermediate, undefined, hiddenSize);
    const neurons = neuronsOf(intermediate, layer.intermediate, config);
    yield {
      query,
      key,
      value,
      attentionOutput,
      attentionNorm,
      intermediate,
      output: await linear(layer.output, hiddenSize, neurons, `the rows of ${layer.intermediate}`),
      outputNorm: await modules.layerNorm(layer.outputNorm, hiddenSize),
    };
    // The engine asks for the next layer once it has taken in this one.
    sizes.push({ heads: width / (hiddenSize / config.heads), intermediateSize: neurons });
    onProgress?.({ done: index + 1, total: layers });
  }
}

/**
 * The features of a layer's heads, those that `pruned_heads` leaves or, where it is silent, any number of whole heads.
 */
function headsWidth(
  query: LayerLinear,
  name: string,
  layer: number,
  { hiddenSize, heads, prunedHeads }: BertConfig,
): number {
  const rows = rowsOf(query);
  const size = hiddenSize / heads;
  const pruned = prunedHeads.get(layer);
  if (pruned !== undefined) {
    const left = (heads - pruned) * size;
    if (rows === left) return rows;
    const wanted = `[${left}, ${hiddenSize}] by pruned_heads of the config`;
    throw mismatch(name, `[${rows}, ${hiddenSize}]`, wanted);
  }
  if (rows <= hiddenSize && rows % size === 0) return rows;
  const wanted = `[${hiddenSize}, ${hiddenSize}] by the config, or fewer rows by whole heads of ${size}`;
  throw mismatch(name, `[${rows}, ${hiddenSize}]`, wanted);
}

/** The neurons between a layer's last two Linears. */
function neuronsOf(intermediate: LayerLinear, name: string, { hiddenSize, intermediateSize }: BertConfig): number {
  const rows = rowsOf(intermediate);
  if (rows <= intermediateSize) return rows;
  const wanted = `[${intermediateSize}, ${hiddenSize}] by the config, or fewer rows`;
  throw mismatch(name, `[${rows}, ${hiddenSize}]`, wanted);
}

function rowsOf(linear: LayerLinear): number {
  return linear.kind === 'float' ? linear.shape[0] : linear.weight.shape[0];
}
