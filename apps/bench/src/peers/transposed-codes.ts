import type { QuantizedLinear } from '@prune/core';

/** The codes of a Linear's weight `[out, in]` as ONNX multiplies by them: `[in, out]`, row-major. */
export function transposedCodes({
  intRepr,
  shape: [rows, columns],
}: QuantizedLinear['weight']): Int8Array<ArrayBuffer> {
  const result = new Int8Array(intRepr.length);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) result[c * rows + r] = intRepr[r * columns + c];
  }
  return result;
}
