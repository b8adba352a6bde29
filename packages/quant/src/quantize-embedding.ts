import { PruneError, type QuantizedEmbedding, type Tensor, toFloat32 } from '@prune/core';
import { matrixShape, refuseNotFinite } from './quantize-weight.js';
import { rint } from './rint.js';

/** float32 machine epsilon; a narrower row has scale 1. */
const EPSILON = 2 ** -23;

/**
 * A float table `[rows, columns]` as unsigned 8- or 4-bit codes, one scale and one float zero point a row, weight only:
 * `scale = (max - min) / (2^bits - 1)` (1 when the range is at most 2^-23), `zeroPoint = -min / scale`,
 * `q = clamp(rint(w * (1 / scale) + zeroPoint), 0, 2^bits - 1)` in float32, as PyTorch's `float_qparams_weight_only_qconfig` and its 4-bit form.
 * Throws `not-finite` for NaN, an infinity or a row whose range float32 cannot hold, `mismatch` when the tensor is no matrix.
 */
export function quantizeEmbedding(tensor: Tensor, bits: 8 | 4, options: { name?: string } = {}): QuantizedEmbedding {
  const { name } = options;
  const [rows, columns] = matrixShape(tensor, name);
  const values = toFloat32(tensor, { where: 'quant', tensor: name }).data;
  const stride = bits === 8 ? columns : Math.ceil(columns / 2);
  const intRepr = new Uint8Array(rows * stride);
  const scales = new Float32Array(rows);
  const zeroPoints = new Float32Array(rows);
  const codes = new Uint8Array(columns);
  for (let row = 0; row < rows; row++) {
    const line = values.subarray(row * columns, (row + 1) * columns);
    const scale = rowScale(line, 2 ** bits - 1, row, name);
    scales[row] = scale.scale;
    zeroPoints[row] = scale.zeroPoint;
    quantizeRow(line, scales[row], zeroPoints[row], 2 ** bits - 1, codes);
    const target = intRepr.subarray(row * stride, (row + 1) * stride);
    if (bits === 8) target.set(codes);
    else packNibbles(codes, target);
  }
  return { kind: 'embedding', bits, shape: [rows, columns], intRepr, scales, zeroPoints };
}

function rowScale(line: Float32Array, levels: number, row: number, name: string | undefined) {
  if (line.length === 0) return { scale: 1, zeroPoint: 0 };
  let min = line[0];
  let max = line[0];
  for (let i = 0; i < line.length; i++) {
    const value = line[i];
    // The difference is 0 for every finite number and NaN for the others.
    if (value - value !== 0) refuseNotFinite(row * line.length + i, value, name);
    if (value < min) min = value;
    if (value > max) max = value;
  }
  const range = Math.fround(max - min);
  if (range === Number.POSITIVE_INFINITY) {
    throw new PruneError('not-finite', {
      where: 'quant',
      tensor: name,
      what: `the range of row ${row} has no float32`,
      got: `${min} to ${max}`,
      wanted: 'a difference below 3.4e38',
    });
  }
  const scale = range <= EPSILON ? 1 : Math.fround(range / levels);
  return { scale, zeroPoint: Math.fround(-min / scale) };
}

function quantizeRow(line: Float32Array, scale: number, zeroPoint: number, levels: number, codes: Uint8Array) {
  const inverse = Math.fround(1 / scale);
  for (let i = 0; i < line.length; i++) {
    const code = rint(Math.fround(Math.fround(line[i] * inverse) + zeroPoint));
    codes[i] = Math.max(0, Math.min(code, levels));
  }
}

/** Two codes a byte, the even column in the low half; an odd last column leaves the high half 0. */
function packNibbles(codes: Uint8Array, target: Uint8Array) {
  for (let i = 0; i < target.length; i++) {
    const odd = 2 * i + 1 < codes.length ? codes[2 * i + 1] : 0;
    target[i] = codes[2 * i] | (odd << 4);
  }
}
