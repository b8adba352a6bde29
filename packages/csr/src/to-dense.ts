import type { CsrMatrix, DenseInt8Matrix } from '@prune/core';
import { checkCsr } from './check-matrix.js';

/** The dense row-major form of a valid CSR matrix, zeros filled in. */
export function toDense(matrix: CsrMatrix): DenseInt8Matrix {
  checkCsr('matrix of toDense', matrix);
  const { shape, indptr, indices, data } = matrix;
  const [rows, columns] = shape;
  const intRepr = new Int8Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    const start = row * columns;
    for (let p = indptr[row]; p < indptr[row + 1]; p++) intRepr[start + indices[p]] = data[p];
  }
  return { shape: [rows, columns], intRepr };
}
