import { dequantizeEmbeddingRow } from '@prune/quant';
import type { QuantizedEmbedding, Tensor } from '@prune/state-dict';

/** A table of rows `[rows, columns]`, float32 or quantized row by row. */
export type EmbeddingTable = QuantizedEmbedding | Tensor<'float32'>;

/** The three tables that BERT sums; DistilBERT has no token types. */
export interface EmbeddingTables {
  readonly word: EmbeddingTable;
  readonly position: EmbeddingTable;
  readonly tokenType?: EmbeddingTable;
}

/**
 * The embedding sum before its LayerNorm: float32 `[tokens, columns]`, `(word + token type) + position` in this order, as transformers adds.
 * Quantized rows are dequantized as they are looked up. Ids must have been checked against the tables.
 */
export function embedTokens(
  { word, position, tokenType }: EmbeddingTables,
  tokens: { readonly ids: Int32Array; readonly positions: Int32Array; readonly typeIds: Int32Array },
): Float32Array {
  const columns = word.shape[1];
  const sum = new Float32Array(tokens.ids.length * columns);
  const scratch = new Float32Array(columns);
  const add = (table: EmbeddingTable, row: number, target: Float32Array): void => {
    const values = rowOf(table, row, scratch);
    for (let i = 0; i < columns; i++) target[i] += values[i];
  };
  for (let token = 0; token < tokens.ids.length; token++) {
    const target = sum.subarray(token * columns, (token + 1) * columns);
    target.set(rowOf(word, tokens.ids[token], scratch));
    if (tokenType !== undefined) add(tokenType, tokens.typeIds[token], target);
    add(position, tokens.positions[token], target);
  }
  return sum;
}

function rowOf(table: EmbeddingTable, row: number, scratch: Float32Array): Float32Array {
  if (!('kind' in table)) return table.data.subarray(row * table.shape[1], (row + 1) * table.shape[1]);
  dequantizeEmbeddingRow(table, row, scratch);
  return scratch;
}
