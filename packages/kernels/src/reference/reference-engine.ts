import { csrOfRows } from '@prune/core';
import { checkBatch, checkFinite } from '../spec/check-batch.js';
import { checkEncoderLayer, checkNorm, type LayerShape } from '../spec/check-encoder-layer.js';
import type { Encoder } from '../spec/encoder.js';
import type { AnyLinear, EncoderLayer, EncoderSpec, LayerLinear } from '../spec/encoder-spec.js';
import { encoderLayer } from './encoder-layer.js';
import { layerNorm } from './layer-norm.js';

/** An encoder that computes with the reference kernels; see `Engine.loadEncoder`. */
export async function loadReferenceEncoder(spec: EncoderSpec): Promise<Encoder> {
  const layers: EncoderLayer<AnyLinear>[] = [];
  let shape: LayerShape | undefined;
  for await (const layer of spec.layers) {
    shape = checkEncoderLayer(layer, layers.length, spec.heads, shape);
    layers.push(withArrays(layer, `layer.${layers.length}`));
  }
  const hiddenSize = shape?.hidden ?? 0;
  if (layers.length > 0 && spec.inputNorm !== undefined) checkNorm(spec.inputNorm, hiddenSize, { tensor: 'inputNorm' });
  return {
    hiddenSize,
    layers: layers.length,
    forward(hidden, lengths, options = {}) {
      const batch = checkBatch(hidden, hiddenSize, lengths, options.keyLengths);
      checkFinite(hidden, 'hidden states given');
      let last = spec.inputNorm ? layerNorm(hidden, spec.inputNorm, spec.layerNormEps) : hidden.slice();
      const all = [last.slice()];
      for (const layer of layers) {
        if (batch.tokens > 0) last = encoderLayer(layer, spec, last, batch.lengths, batch.keyLengths);
        if (options.hiddenStates) all.push(last.slice());
      }
      checkFinite(last, 'hidden states');
      return options.hiddenStates ? { last, all } : { last };
    },
    close() {
      layers.length = 0;
    },
  };
}

/** The layer with every weight in memory. */
function withArrays(layer: EncoderLayer, name: string): EncoderLayer<AnyLinear> {
  const arrays = (module: LayerLinear, part: string): AnyLinear => {
    if (module.kind === 'float') return module;
    const { weight, ...rest } = module;
    const place = { where: 'kernels', tensor: `${name}.${part}` };
    return { ...rest, weight: 'forEachRow' in weight ? csrOfRows(weight, place) : weight };
  };
  const { query, key, value, attentionOutput, intermediate, output } = layer;
  return {
    ...layer,
    query: arrays(query, 'query'),
    key: arrays(key, 'key'),
    value: arrays(value, 'value'),
    attentionOutput: arrays(attentionOutput, 'attentionOutput'),
    intermediate: arrays(intermediate, 'intermediate'),
    output: arrays(output, 'output'),
  };
}
