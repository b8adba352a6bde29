import { type CsrMatrix, PruneError } from '@prune/core';
import { checkCsr } from './check-matrix.js';

/**
 * Rows `start` (inclusive) to `end` (exclusive, default: all that follow) of a valid CSR matrix as one of its own:
 * indices and data are views, the row pointers are new and begin at 0. Throws `invalid-argument` for rows that are not there.
 */
export function sliceRows(matrix: CsrMatrix, start: number, end: number = matrix?.shape?.[0]): CsrMatrix {
  checkCsr('matrix of sliceRows', matrix);
  const { shape, indptr, indices, data } = matrix;
  const [rows, columns] = shape;
  if (!(Number.isInteger(start) && Number.isInteger(end) && 0 <= start && start <= end && end <= rows)) {
    throw new PruneError('invalid-argument', {
      where: 'csr',
      what: 'no such rows',
      got: `${start} to ${end}`,
      wanted: `0 <= start <= end <= ${rows}`,
    });
  }
  const first = indptr[start];
  return {
    shape: [end - start, columns],
    indptr: indptr.slice(start, end + 1).map((p) => p - first),
    indices: indices.subarray(first, indptr[end]),
    data: data.subarray(first, indptr[end]),
  };
}
