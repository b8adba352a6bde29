import type { QuantizationProfile } from '@prune/core';
import { dynamicLinear } from '@prune/quant';
import type { AnyLinear, FloatLinear } from '../spec/encoder-spec.js';

const { fround } = Math;

/** How the quantized Linears compute. */
export interface LinearMode {
  readonly profile: QuantizationProfile;
  readonly rowwise: boolean;
}

/**
 * A Linear over float32 `x` `[tokens, columns]`, gives `[tokens, rows]`: PyTorch's dynamic Linear where the weight is quantized, else a float32
 * sum over the nonzero columns in ascending order from 0, the bias added last. Without columns, as where pruning left
 * nothing of a layer, every sum is 0, and `tokens` says how many rows there are.
 */
export function linear(
  x: Float32Array,
  tokens: number,
  module: AnyLinear,
  { profile, rowwise }: LinearMode,
): Float32Array {
  if (shapeOf(module)[1] === 0) return biasAlone(module, tokens);
  return module.kind === 'linear' ? dynamicLinear(x, module, profile, { rowwise }) : floatLinear(x, module);
}

function biasAlone(module: AnyLinear, tokens: number): Float32Array {
  const [rows] = shapeOf(module);
  const bias = module.kind === 'linear' ? (module.bias?.data ?? null) : module.bias;
  // A bias of -0 gives 0, as the sum of 0 and -0 does.
  return Float32Array.from({ length: tokens * rows }, (_, i) => (bias === null ? 0 : 0 + bias[i % rows]));
}

function shapeOf(module: AnyLinear): readonly [rows: number, columns: number] {
  return module.kind === 'linear' ? module.weight.shape : module.shape;
}

function floatLinear(x: Float32Array, { weight, shape, bias }: FloatLinear): Float32Array {
  const [rows, columns] = shape;
  const tokens = x.length / columns;
  const y = new Float32Array(tokens * rows);
  for (let token = 0; token < tokens; token++) {
    for (let row = 0; row < rows; row++) {
      const [a, w] = [token * columns, row * columns];
      let sum = 0;
      for (let i = 0; i < columns; i++) {
        if (weight[w + i] !== 0) sum = fround(sum + fround(weight[w + i] * x[a + i]));
      }
      y[token * rows + row] = bias === null ? sum : sum + bias[row];
    }
  }
  return y;
}
