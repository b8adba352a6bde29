import { tensorBytes } from '@prune/core';
import { readFloats, readLinearMatrix } from './constant-values.js';
import type { GraphModel } from './model-of-graph.js';
import { shapeOf } from './rule.js';
import type { TensorReader } from './tensor-reader.js';

/**
 * Whether the decoder of a masked language model is the word table. Exporters that fold constants store the table a
 * second time, transposed, so that the elements have to be compared.
 */
export async function isTiedDecoder({ head, tables }: GraphModel, reader: TensorReader): Promise<boolean> {
  if (head?.kind !== 'maskedLanguageModel') return false;
  const { weight } = head.decoder;
  const table = tables.find(({ by }) => by === 'words')?.table;
  if (table === undefined || weight.quantizer !== undefined || table.quantizer !== undefined) return false;
  if (table.tensor === weight.tensor) return weight.transposed;
  const shape = shapeOf(table);
  if (String(shape) !== String([...shapeOf(weight)].reverse()) || table.tensor.dtype !== weight.tensor.dtype)
    return false;
  const [words, decoder] = [await readFloats(table, shape, reader), await readLinearMatrix(weight, reader)];
  return equalBytes(tensorBytes(words), tensorBytes(decoder));
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
