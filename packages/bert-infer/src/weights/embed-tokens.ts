import type { QuantizedEmbedding, Tensor } from '@prune/core';
import { dequantizeEmbeddingRow } from '@prune/quant';

/** A table of rows `[rows, columns]`, float32 or quantized row by row. */
export type WholeTable = QuantizedEmbedding | Tensor<'float32'>;

/** A table of which only the rows that some tokens need are there. */
export interface HeldRows {
  readonly kind: 'rows';
  /** Of the whole table. */
  readonly shape: readonly [rows: number, columns: number];
  readonly rows: ReadonlyMap<number, Float32Array>;
}

/** What a lookup needs of a table. */
export type EmbeddingTable = WholeTable | HeldRows;

/** The three tables that BERT sums; DistilBERT has no token types. */
export interface EmbeddingTables {
  readonly word: EmbeddingTable;
  readonly position: EmbeddingTable;
  readonly tokenType?: EmbeddingTable;
}

/** The rows of each table that the tokens of a batch look up. */
export interface TokenIds {
  readonly ids: Int32Array;
  readonly positions: Int32Array;
  readonly typeIds: Int32Array;
}

/**
 * The embedding sum before its LayerNorm: float32 `[tokens, columns]`, `(word + token type) + position` in this order, as transformers adds.
 * Quantized rows are dequantized as they are looked up. Ids must have been checked against the tables.
 * Of {@link HeldRows}, the rows of all tokens must be there.
 */
export function embedTokens({ word, position, tokenType }: EmbeddingTables, tokens: TokenIds): Float32Array {
  const columns = word.shape[1];
  const sum = new Float32Array(tokens.ids.length * columns);
  const wordRow = rowReader(word);
  const positionRow = rowReader(position);
  const typeRow = tokenType === undefined ? undefined : rowReader(tokenType);
  for (let token = 0; token < tokens.ids.length; token++) {
    const at = token * columns;
    const words = wordRow(tokens.ids[token]);
    const positions = positionRow(tokens.positions[token]);
    const types = typeRow?.(tokens.typeIds[token]);
    if (types === undefined) for (let i = 0; i < columns; i++) sum[at + i] = words[i] + positions[i];
    else for (let i = 0; i < columns; i++) sum[at + i] = Math.fround(words[i] + types[i]) + positions[i];
  }
  return sum;
}

/** Gives a row as float32; of a quantized table always in the same array. */
function rowReader(table: EmbeddingTable): (row: number) => Float32Array {
  const columns = table.shape[1];
  if (!('kind' in table)) return (row) => table.data.subarray(row * columns, (row + 1) * columns);
  if (table.kind === 'rows') return (row) => table.rows.get(row)!;
  const values = new Float32Array(columns);
  let held = -1;
  return (row) => {
    // Neighbours mostly have the same token type.
    if (row !== held) dequantizeEmbeddingRow(table, row, values);
    held = row;
    return values;
  };
}
