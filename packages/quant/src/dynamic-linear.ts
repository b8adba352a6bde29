import {
  type CsrMatrix,
  type DenseInt8Matrix,
  PruneError,
  type QuantizationProfile,
  type QuantizedLinear,
} from '@prune/core';
import { type ActivationQuantization, activationQuantization } from './activation-quantization.js';
import { fusedMultiplyAdd } from './fused-multiply-add.js';
import { rint } from './rint.js';

/** Options of {@link dynamicLinear}. */
export interface DynamicLinearOptions {
  /**
   * One activation scale a token instead of one for all tokens together (the way of PyTorch and onnxruntime), so that a
   * token's result does not depend on what it was batched with. Default: false.
   */
  readonly rowwise?: boolean;
  /**
   * The last line as PyTorch's engine `onednn` computes it. Its integers are those of the profile `fbgemm`, but it gets both scales as
   * reciprocals and rounds three times, so its bits differ from those of `fbgemm` and `x86`. For comparing with that engine. Default: false.
   */
  readonly onednn?: boolean;
}

/** The profiles whose last line rounds the product and then the sum; the others fuse them. */
const ROUNDS_TWICE: Readonly<Record<QuantizationProfile, boolean>> = {
  fbgemm: false,
  'fbgemm-1.5': false,
  qnnpack: true,
  onnxruntime: true,
};

/**
 * PyTorch's dynamically quantized Linear: float32 `x` `[tokens, in]` times an int8 weight `[out, in]`, dense or CSR, gives float32 `[tokens, out]`.
 * With the profile `onnxruntime`, what onnxruntime computes for `DynamicQuantizeLinear`, `MatMulInteger`, and the
 * addition of the bias.
 *
 *     xq  = clamp(rint(x * inverse) + zeroPoint, 0, 255)             onnxruntime: x / scale instead of x * inverse
 *     acc = sum_k xq[t,k] * wq[o,k] - zeroPoint * sum_k wq[o,k]      exact integers
 *     y   = float32(acc) * fround(sx * sw[o]) + bias[o]              one rounding (fused); qnnpack, onnxruntime: two
 *
 * Of onnxruntime's sums these are the exact ones, as with its session option `session.x64quantprecision`. Without the
 * option, an x86 processor without VNNI saturates sums of two products at 16 bits, which weights beyond 64 can reach.
 *
 * This is the specification that every kernel is held to; it is not fast. Throws `mismatch` when `x` is not whole rows of `in`,
 * `not-finite` for NaN or an infinity in `x`.
 */
export function dynamicLinear(
  x: Float32Array,
  linear: QuantizedLinear<DenseInt8Matrix | CsrMatrix>,
  profile: QuantizationProfile,
  options: DynamicLinearOptions = {},
): Float32Array {
  const { rowwise = false, onednn = false } = options;
  const { weight, scales, bias } = linear;
  const [rows, columns] = weight.shape;
  const tokens = columns === 0 ? 0 : x.length / columns;
  if (!Number.isInteger(tokens) || (columns === 0 && x.length > 0)) {
    throw new PruneError('mismatch', {
      where: 'quant',
      what: 'activations are not whole rows',
      got: `${x.length} elements`,
      wanted: `a multiple of ${columns}`,
    });
  }
  const y = new Float32Array(tokens * rows);
  const sums = rowSums(weight);
  const whole = rowwise ? undefined : quantizationOf(x, profile);
  const codes = new Uint8Array(columns);
  for (let token = 0; token < tokens; token++) {
    const line = x.subarray(token * columns, (token + 1) * columns);
    const quantization = whole ?? quantizationOf(line, profile);
    if (profile === 'onnxruntime') quantizeByDivision(line, quantization, codes);
    else quantizeActivations(line, quantization, codes);
    for (let row = 0; row < rows; row++) {
      const acc = Math.fround(dot(codes, weight, row) - quantization.zeroPoint * sums[row]);
      const weightScale = Math.fround(scales[scales.length === 1 ? 0 : row]);
      const factor = Math.fround(quantization.scale * weightScale);
      const addend = bias === null ? -0 : bias.data[row];
      let result: number;
      if (onednn) result = onednnProduct(acc, quantization.exactScale, weightScale) + addend;
      else if (ROUNDS_TWICE[profile]) result = Math.fround(acc * factor) + addend;
      else result = fusedMultiplyAdd(acc, factor, addend);
      y[token * rows + row] = result;
    }
  }
  return y;
}

/** PyTorch hands oneDNN `1 / scale` as float32, and oneDNN multiplies by the reciprocals of those, one scale after the other. */
function onednnProduct(acc: number, scale: number, weightScale: number): number {
  const x = Math.fround(1 / Math.fround(1 / scale));
  const w = Math.fround(1 / Math.fround(1 / weightScale));
  return Math.fround(Math.fround(acc * x) * w);
}

function quantizationOf(x: Float32Array, profile: QuantizationProfile): ActivationQuantization {
  let min = 0;
  let max = 0;
  for (let i = 0; i < x.length; i++) {
    const value = x[i];
    if (value < min) min = value;
    else if (value > max) max = value;
    else if (Number.isNaN(value)) return activationQuantization(value, value, profile);
  }
  return activationQuantization(min, max, profile);
}

function quantizeActivations(x: Float32Array, quantization: ActivationQuantization, codes: Uint8Array) {
  const { inverse, zeroPoint } = quantization;
  for (let i = 0; i < x.length; i++) {
    const code = rint(Math.fround(x[i] * inverse)) + zeroPoint;
    codes[i] = Math.max(0, Math.min(code, 255));
  }
}

/** The comparisons are onnxruntime's: the quotient 0 / 0, of an activation 0 and the scale 0, becomes the code 0. */
function quantizeByDivision(x: Float32Array, { scale, zeroPoint }: ActivationQuantization, codes: Uint8Array) {
  const lowest = -zeroPoint;
  const highest = 255 - zeroPoint;
  for (let i = 0; i < x.length; i++) {
    const quotient = Math.fround(x[i] / scale);
    const clamped = quotient > lowest ? Math.min(quotient, highest) : lowest;
    codes[i] = rint(clamped) + zeroPoint;
  }
}

function dot(codes: Uint8Array, weight: DenseInt8Matrix | CsrMatrix, row: number): number {
  let sum = 0;
  if ('intRepr' in weight) {
    const start = row * codes.length;
    for (let k = 0; k < codes.length; k++) sum += codes[k] * weight.intRepr[start + k];
  } else {
    for (let p = weight.indptr[row]; p < weight.indptr[row + 1]; p++) sum += codes[weight.indices[p]] * weight.data[p];
  }
  return sum;
}

function rowSums(weight: DenseInt8Matrix | CsrMatrix): Float64Array {
  const [rows, columns] = weight.shape;
  const sums = new Float64Array(rows);
  const values = 'intRepr' in weight ? weight.intRepr : weight.data;
  for (let row = 0; row < rows; row++) {
    const start = 'intRepr' in weight ? row * columns : weight.indptr[row];
    const end = 'intRepr' in weight ? start + columns : weight.indptr[row + 1];
    for (let i = start; i < end; i++) sums[row] += values[i];
  }
  return sums;
}
