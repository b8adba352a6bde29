import type { AnyLinear } from '@prune/kernels';
import { dynamicLinear } from '@prune/quant';
import type { QuantizationProfile } from '@prune/state-dict';

/** How the Linears of a model compute. */
export interface LinearMode {
  readonly profile: QuantizationProfile;
  /** One activation scale a token instead of one a tensor. */
  readonly rowwise: boolean;
}

/**
 * A head's Linear: float32 `x` `[tokens, columns]` gives `[tokens, rows]`. Quantized as PyTorch's dynamic Linear, its activation scale over all
 * tokens of `x`; a float one sums in float64. Heads have few rows, so this is the reference and not a kernel of the engine.
 */
export function applyLinear(linear: AnyLinear, x: Float32Array, { profile, rowwise }: LinearMode): Float32Array {
  if (linear.kind === 'linear') return dynamicLinear(x, linear, profile, { rowwise });
  const { weight, bias } = linear;
  const [rows, columns] = linear.shape;
  const tokens = x.length / columns;
  const y = new Float32Array(tokens * rows);
  for (let token = 0; token < tokens; token++) {
    for (let row = 0; row < rows; row++) {
      let sum = bias === null ? 0 : bias[row];
      const [w, a] = [row * columns, token * columns];
      for (let i = 0; i < columns; i++) sum += weight[w + i] * x[a + i];
      y[token * rows + row] = sum;
    }
  }
  return y;
}

/** The length of a Linear's output. */
export function rowsOf(linear: AnyLinear): number {
  return linear.kind === 'linear' ? linear.weight.shape[0] : linear.shape[0];
}
