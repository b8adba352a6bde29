import { type CsrMatrix, newColumnIndices, type Tensor, type TensorPieces, toFloat32 } from '@prune/core';
import { NonzeroCollector, type Nonzeros } from './nonzero-collector.js';
import { matrixShape, type QuantizedWeight, type QuantizeWeightOptions, quantizeNonzeros } from './quantize-weight.js';

/**
 * `quantizeWeight` with the codes in compressed sparse rows, zeros left out: what `toCsr` makes of the dense codes, which are never made.
 * Throws as `quantizeWeight` does.
 */
export function quantizeWeightToCsr(weight: Tensor, options: QuantizeWeightOptions = {}): QuantizedWeight<CsrMatrix> {
  const shape = matrixShape(weight, options.name);
  const nonzeros = new NonzeroCollector();
  nonzeros.add(toFloat32(weight, { where: 'quant', tensor: options.name }).data);
  return csrOf(shape, nonzeros.nonzeros(), options);
}

/** {@link quantizeWeightToCsr} of a matrix that comes piece by piece: its nonzeros alone are ever in memory. Throws what reading throws, too. */
export async function quantizePiecesToCsr(
  weight: TensorPieces,
  options: QuantizeWeightOptions = {},
): Promise<QuantizedWeight<CsrMatrix>> {
  const shape = matrixShape(weight, options.name);
  const nonzeros = new NonzeroCollector();
  const place = { where: 'quant', tensor: options.name };
  for await (const piece of weight.pieces()) nonzeros.add(toFloat32(piece, place).data);
  return csrOf(shape, nonzeros.nonzeros(), options);
}

function csrOf(
  shape: readonly [rows: number, columns: number],
  nonzeros: Nonzeros,
  options: QuantizeWeightOptions,
): QuantizedWeight<CsrMatrix> {
  const { places, codes, qscheme, scales } = quantizeNonzeros(shape, nonzeros, options);
  const [rows, columns] = shape;
  const indptr = new Int32Array(rows + 1);
  let nnz = 0;
  for (let i = 0; i < codes.length; i++) nnz += codes[i] === 0 ? 0 : 1;
  const indices = newColumnIndices(columns, nnz);
  const data = new Int8Array(nnz);
  let at = 0;
  for (let row = 0, i = 0; row < rows; row++) {
    const start = row * columns;
    const end = start + columns;
    for (; i < places.length && places[i] < end; i++) {
      if (codes[i] === 0) continue;
      indices[at] = places[i] - start;
      data[at++] = codes[i];
    }
    indptr[row + 1] = at;
  }
  return { weight: { shape, indptr, indices, data }, qscheme, scales };
}
