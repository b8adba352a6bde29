import { PruneError } from '@prune/core';
import { checkFloats, checkLinear, type Place } from './check-linear.js';
import type { EncoderLayer, LayerLinear, LayerNormParameters } from './encoder-spec.js';

/** The sizes of the layers so far. */
export interface LayerShape {
  readonly hidden: number;
  /** The largest one: neurons may have been pruned from some layers. */
  readonly intermediate: number;
}

/**
 * Checks a layer's modules against each other, `heads` and `shape` (that of the layers before it), and gives the shape
 * of all of them. A layer may have fewer heads than `heads`, or none, and neurons of its own number, or none. Module
 * names in errors are `layer.<index>.<module>`. Throws `mismatch`, `corrupt`, `limit`, `not-finite`.
 */
export function checkEncoderLayer(layer: EncoderLayer, index: number, heads: number, shape?: LayerShape): LayerShape {
  const at = (module: keyof EncoderLayer) => ({ tensor: `layer.${index}.${module}` });
  const [intermediate, hidden] = checkLinear(
    layer.intermediate,
    rowsOf(layer.intermediate),
    shape?.hidden,
    at('intermediate'),
  );
  checkLinear(layer.output, hidden, intermediate, at('output'));
  for (const module of ['attentionNorm', 'outputNorm'] as const) checkNorm(layer[module], hidden, at(module));
  if (!(Number.isSafeInteger(heads) && heads > 0 && hidden % heads === 0)) {
    throw new PruneError('mismatch', {
      where: 'kernels',
      what: 'heads do not divide the hidden size',
      got: `${heads} heads`,
      wanted: `a divisor of ${hidden}`,
    });
  }
  const [width] = checkLinear(layer.query, rowsOf(layer.query), hidden, at('query'));
  const size = hidden / heads;
  if (width % size !== 0 || width > hidden) {
    throw new PruneError('mismatch', {
      where: 'kernels',
      what: 'matrix has the wrong shape',
      got: `[${width}, ${hidden}]`,
      wanted: `[${hidden}, ${hidden}], or fewer rows by whole heads of ${size}`,
      ...at('query'),
    });
  }
  for (const module of ['key', 'value'] as const) checkLinear(layer[module], width, hidden, at(module));
  checkLinear(layer.attentionOutput, hidden, width, at('attentionOutput'));
  return { hidden, intermediate: Math.max(intermediate, shape?.intermediate ?? 0) };
}

function rowsOf(module: LayerLinear): number {
  return module.kind === 'linear' ? module.weight.shape[0] : module.shape[0];
}

/** Checks the parameters of a LayerNorm over `size` features. Throws `mismatch`, `not-finite`. */
export function checkNorm({ weight, bias }: LayerNormParameters, size: number, place: Place): void {
  checkFloats('weight', weight, size, place);
  checkFloats('bias', bias, size, place);
}
