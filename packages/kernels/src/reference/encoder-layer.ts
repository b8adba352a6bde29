import type { AnyLinear, EncoderLayer, EncoderSpec } from '../spec/encoder-spec.js';
import { activate } from './activate.js';
import { attention } from './attention.js';
import { attentionInt16 } from './attention-int16.js';
import { layerNorm } from './layer-norm.js';
import { type LinearMode, linear } from './linear.js';

/** What a layer needs to know beside its modules. */
export type LayerMode = Omit<EncoderSpec, 'layers'>;

/** One encoder layer in plain TypeScript: the specification that every kernel is held to, bit for bit. `x` float32 `[tokens, width]`. */
export function encoderLayer(
  layer: EncoderLayer<AnyLinear>,
  spec: LayerMode,
  x: Float32Array,
  lengths: ArrayLike<number>,
  keyLengths: ArrayLike<number>,
): Float32Array {
  const mode: LinearMode = { profile: spec.profile, rowwise: spec.rowwise ?? false };
  const hidden = layer.attentionNorm.weight.length;
  const tokens = x.length / hidden;
  const [query, key, value] = [layer.query, layer.key, layer.value].map((module) => linear(x, tokens, module, mode));
  // What pruned heads have left behind: each head has the size that it has in a whole layer.
  const size = hidden / spec.heads;
  const [width] = layer.query.kind === 'linear' ? layer.query.weight.shape : layer.query.shape;
  const attend = spec.attention === 'int16' ? attentionInt16 : attention;
  const context = attend({ query, key, value, width, heads: width / size, lengths, keyLengths });
  const attended = linear(context, tokens, layer.attentionOutput, mode);
  const middle = layerNorm(sum(attended, x), layer.attentionNorm, spec.layerNormEps);
  const wide = linear(middle, tokens, layer.intermediate, mode).map((value) => activate(value, spec.activation));
  const narrow = linear(wide, tokens, layer.output, mode);
  return layerNorm(sum(narrow, middle), layer.outputNorm, spec.layerNormEps);
}

function sum(a: Float32Array, b: Float32Array): Float32Array {
  return a.map((value, i) => value + b[i]);
}
