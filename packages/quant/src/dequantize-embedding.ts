import type { QuantizedEmbedding, Tensor } from '@prune/core';

/**
 * The float32 table `[rows, columns]` of a quantized embedding: `w = q * scale + offset` rounded once, `offset = -zeroPoint * scale` in float32,
 * which is what PyTorch's `embedding_byte` computes (FBGEMM keeps scale and offset a row, not the zero point) and
 * `(q - zeroPoint) * scale` to 1 unit in the last place.
 */
export function dequantizeEmbedding(table: QuantizedEmbedding): Tensor<'float32'> {
  const [rows, columns] = table.shape;
  const data = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) dequantizeEmbeddingRow(table, row, data.subarray(row * columns));
  return { dtype: 'float32', shape: [rows, columns], data };
}

/** One row of {@link dequantizeEmbedding}, written to the first `columns` elements of `target`: what a lookup needs. `row` must be one of the table's. */
export function dequantizeEmbeddingRow(table: QuantizedEmbedding, row: number, target: Float32Array): void {
  const columns = table.shape[1];
  const scale = table.scales[row];
  const offset = Math.fround(-table.zeroPoints[row] * scale);
  if (table.bits === 8) {
    const start = row * columns;
    for (let i = 0; i < columns; i++) target[i] = table.intRepr[start + i] * scale + offset;
  } else {
    const start = row * Math.ceil(columns / 2);
    for (let i = 0; i < columns; i++) {
      const code = (table.intRepr[start + (i >> 1)] >> (4 * (i & 1))) & 15;
      target[i] = code * scale + offset;
    }
  }
}
