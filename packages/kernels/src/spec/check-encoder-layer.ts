import { PruneError } from '@prune/core';
import { checkFloats, checkLinear, type Place } from './check-linear.js';
import type { EncoderLayer, LayerNormParameters } from './encoder-spec.js';

/** Hidden and intermediate size of a layer. */
export interface LayerShape {
  readonly hidden: number;
  readonly intermediate: number;
}

/**
 * Checks a layer's modules against each other, `heads` and `shape` (that of the layers before it), and gives its shape. Module names in
 * errors are `layer.<index>.<module>`. Throws `mismatch`, `corrupt`, `limit`, `not-finite`.
 */
export function checkEncoderLayer(layer: EncoderLayer, index: number, heads: number, shape?: LayerShape): LayerShape {
  const at = (module: keyof EncoderLayer) => ({ tensor: `layer.${index}.${module}` });
  const [intermediate, hidden] = checkLinear(
    layer.intermediate,
    shape?.intermediate,
    shape?.hidden,
    at('intermediate'),
  );
  for (const module of ['query', 'key', 'value', 'attentionOutput'] as const) {
    checkLinear(layer[module], hidden, hidden, at(module));
  }
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
  return { hidden, intermediate };
}

/** Checks the parameters of a LayerNorm over `size` features. Throws `mismatch`, `not-finite`. */
export function checkNorm({ weight, bias }: LayerNormParameters, size: number, place: Place): void {
  checkFloats('weight', weight, size, place);
  checkFloats('bias', bias, size, place);
}
