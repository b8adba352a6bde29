import type { CsrMatrix, DenseInt8Matrix, QuantizedLinear, Tensor } from '@prune/core';

/**
 * The float32 weight `[rows, columns]` of a quantized Linear, dense or CSR: `w = q * scale`, one rounding, as PyTorch's `dequantize`.
 */
export function dequantizeLinear(linear: QuantizedLinear<DenseInt8Matrix | CsrMatrix>): Tensor<'float32'> {
  const { weight, scales } = linear;
  const [rows, columns] = weight.shape;
  const data = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    const scale = Math.fround(scales[scales.length === 1 ? 0 : row]);
    const start = row * columns;
    if ('intRepr' in weight) {
      for (let i = start; i < start + columns; i++) data[i] = weight.intRepr[i] * scale;
    } else {
      for (let p = weight.indptr[row]; p < weight.indptr[row + 1]; p++) {
        data[start + weight.indices[p]] = weight.data[p] * scale;
      }
    }
  }
  return { dtype: 'float32', shape: [rows, columns], data };
}
