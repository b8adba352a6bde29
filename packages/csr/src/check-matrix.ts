import { type CsrMatrix, checkArgument, type DenseInt8Matrix } from '@prune/core';

/** Throws `invalid-argument` for what is not a dense matrix at all, such as nested arrays. Lengths are not checked. */
export function checkDense(what: string, matrix: DenseInt8Matrix): void {
  const fits = Array.isArray(matrix?.shape) && matrix.intRepr instanceof Int8Array;
  checkArgument(fits, { where: 'csr', what, wanted: '{ shape: [rows, columns], intRepr: Int8Array }' }, matrix);
}

/**
 * Throws `invalid-argument` for what is not a matrix in compressed sparse rows at all. `validateCsr` checks the rest.
 */
export function checkCsr(what: string, matrix: CsrMatrix): void {
  const { shape, indptr, indices, data } = (matrix ?? {}) as Partial<CsrMatrix>;
  const fits = Array.isArray(shape) && [indptr, indices, data].every(ArrayBuffer.isView);
  checkArgument(fits, { where: 'csr', what, wanted: '{ shape, indptr, indices, data }, which toCsr gives' }, matrix);
}
