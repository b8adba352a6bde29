import { type CsrMatrix, elementCount, MAX_UINT16_COLUMNS, PruneError } from '@prune/core';

type Place = { readonly where?: string; readonly tensor?: string };

/**
 * Throws unless every invariant of a {@link CsrMatrix} holds: dtypes and lengths that fit the shape, row pointers from 0 to nnz that
 * never fall, column indices that ascend within a row and lie inside the matrix, no stored zero. After it, no index can leave an array.
 * `mismatch` for dtypes and lengths, `corrupt` for contents, `limit` for a matrix that is too large. `place.tensor` names it in messages.
 */
export function validateCsr(matrix: CsrMatrix, place: Place = {}): void {
  const at = { where: 'csr', ...place };
  checkArrays(matrix, at);
  checkRows(matrix.indptr, matrix.data.length, at);
  checkColumns(matrix, at);
  const zero = matrix.data.indexOf(0);
  if (zero !== -1) corrupt(at, `data[${zero}] is a stored zero`, 0, 'a nonzero');
}

function checkArrays({ shape, indptr, indices, data }: CsrMatrix, at: Place) {
  if (shape.length !== 2) mismatch(at, 'not a matrix', `shape [${shape.join(', ')}]`, '[rows, columns]');
  elementCount({ dtype: 'int8', shape }, at);
  const [rows, columns] = shape;
  checkArray('indptr', indptr, Int32Array, rows + 1, at);
  checkArray('data', data, Int8Array, indptr[rows], at);
  checkArray('indices', indices, columns <= MAX_UINT16_COLUMNS ? Uint16Array : Int32Array, data.length, at);
}

function checkArray(
  what: string,
  array: Int8Array | Uint16Array | Int32Array,
  type: typeof Int8Array | typeof Uint16Array | typeof Int32Array,
  length: number,
  at: Place,
) {
  if (array instanceof type && array.length === length) return;
  const got = `${array?.constructor?.name} of ${array?.length}`;
  mismatch(at, `${what} does not fit the matrix`, got, `${type.name} of ${length}`);
}

function checkRows(indptr: Int32Array, nnz: number, at: Place) {
  if (indptr[0] !== 0) corrupt(at, 'indptr[0] is not the start', indptr[0], 0);
  for (let row = 1; row < indptr.length; row++) {
    if (indptr[row] < indptr[row - 1]) corrupt(at, `indptr[${row}] falls`, indptr[row], `at least ${indptr[row - 1]}`);
    if (indptr[row] > nnz) corrupt(at, `indptr[${row}] exceeds nnz`, indptr[row], `at most ${nnz}`);
  }
}

function checkColumns({ shape, indptr, indices }: CsrMatrix, at: Place) {
  const [rows, columns] = shape;
  for (let row = 0; row < rows; row++) {
    const end = indptr[row + 1];
    let previous = -1;
    for (let p = indptr[row]; p < end; p++) {
      const column = indices[p];
      if (column <= previous) {
        corrupt(at, `indices[${p}] does not ascend in row ${row}`, column, `more than ${previous}`);
      }
      previous = column;
    }
    // Ascending, so the last one is the largest.
    if (previous >= columns) {
      corrupt(at, `indices[${end - 1}] is no column`, previous, `less than ${columns}`);
    }
  }
}

function mismatch(at: Place, what: string, got: string, wanted: string): never {
  throw new PruneError('mismatch', { ...at, what, got, wanted });
}

function corrupt(at: Place, what: string, got: number, wanted: string | number): never {
  throw new PruneError('corrupt', { ...at, what, got, wanted });
}
