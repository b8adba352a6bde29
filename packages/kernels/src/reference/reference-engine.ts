import { csrOfRows, Pacer } from '@prune/core';
import { closedError } from '../closed-error.js';
import type { OpenParts } from '../open-parts.js';
import { checkBatch, checkFinite } from '../spec/check-batch.js';
import { checkEncoderLayer, checkNorm, type LayerShape } from '../spec/check-encoder-layer.js';
import type { Encoder, EncoderOutput, ForwardOptions } from '../spec/encoder.js';
import type { AnyLinear, EncoderLayer, EncoderSpec, LayerLinear } from '../spec/encoder-spec.js';
import { PassQueue } from '../spec/pass-queue.js';
import { encoderLayer, type LayerMode } from './encoder-layer.js';
import { layerNorm } from './layer-norm.js';

/**
 * An encoder that computes with the reference kernels; see `Engine.loadEncoder`. Closed, it keeps none of its weights.
 */
export async function loadReferenceEncoder(spec: EncoderSpec, parts: OpenParts): Promise<Encoder> {
  let open: LoadedLayers | undefined = await loadLayers(spec, parts);
  const { hiddenSize, layers } = open;
  // Passes of any length, one after another, return to the event loop in time.
  const pacer = new Pacer();
  const queue = new PassQueue();
  const close = async () => {
    open = undefined;
    await queue.idle();
    parts.delete(close);
  };
  parts.add(close);
  return {
    hiddenSize,
    layers: layers.length,
    async forward(hidden, lengths, options = {}) {
      const loaded = open;
      if (loaded === undefined) throw closedError('encoder');
      return queue.run(() => forward(loaded, pacer, hidden, lengths, options), options.signal);
    },
    close,
  };
}

interface LoadedLayers {
  readonly hiddenSize: number;
  readonly layers: readonly EncoderLayer<AnyLinear>[];
  readonly mode: LayerMode;
}

async function loadLayers(spec: EncoderSpec, parts: OpenParts): Promise<LoadedLayers> {
  const layers: EncoderLayer<AnyLinear>[] = [];
  let shape: LayerShape | undefined;
  for await (const layer of spec.layers) {
    parts.check();
    shape = checkEncoderLayer(layer, layers.length, spec.heads, shape);
    layers.push(withArrays(layer, `layer.${layers.length}`));
  }
  parts.check();
  const hiddenSize = shape?.hidden ?? 0;
  const { layers: _, ...mode } = spec;
  if (layers.length > 0 && mode.inputNorm !== undefined) checkNorm(mode.inputNorm, hiddenSize, { tensor: 'inputNorm' });
  return { hiddenSize, layers, mode };
}

/** Returns to the event loop between layers; a layer takes as long as it does. */
async function forward(
  { hiddenSize, layers, mode }: LoadedLayers,
  pacer: Pacer,
  hidden: Float32Array,
  lengths: ArrayLike<number>,
  options: ForwardOptions,
): Promise<EncoderOutput> {
  const batch = checkBatch(hidden, hiddenSize, lengths, options.keyLengths);
  checkFinite(hidden, 'hidden states given');
  let last = mode.inputNorm ? layerNorm(hidden, mode.inputNorm, mode.layerNormEps) : hidden.slice();
  const all = [last.slice()];
  for (const [index, layer] of layers.entries()) {
    await pacer.pause(options.signal);
    if (batch.tokens > 0) last = encoderLayer(layer, mode, last, batch.lengths, batch.keyLengths);
    if (options.hiddenStates) all.push(last.slice());
    options.onLayer?.({ done: index + 1, total: layers.length });
  }
  checkFinite(last, 'hidden states');
  return options.hiddenStates ? { last, all } : { last };
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
