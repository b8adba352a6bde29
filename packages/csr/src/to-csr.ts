import { type CsrMatrix, checkLimit, type DenseInt8Matrix, PruneError } from '@prune/state-dict';

/** A matrix of at most this many columns has uint16 indices, as in the notebook; a wider one has int32. */
export const MAX_UINT16_COLUMNS = 65_535;

/**
 * The nonzeros of a dense int8 matrix in compressed sparse rows, equal to scipy's `csr_matrix`: indptr int32 `[rows + 1]`,
 * indices uint16 (int32 past 65,535 columns) and data int8 `[nnz]`. Throws `mismatch` when the array does not fit the shape,
 * `limit` for 2^31 nonzeros or more.
 */
export function toCsr(matrix: DenseInt8Matrix): CsrMatrix {
  const { shape, intRepr } = matrix;
  const [rows, columns] = shape;
  if (intRepr.length !== rows * columns) {
    throw new PruneError('mismatch', {
      where: 'csr',
      what: 'array does not fit its matrix',
      got: `${intRepr.length} elements`,
      wanted: `${rows * columns} ([${shape.join(', ')}])`,
    });
  }
  const indptr = countNonzeros(intRepr, rows, columns);
  const nnz = indptr[rows];
  const indices = newIndices(columns, nnz);
  const data = new Int8Array(nnz);
  let p = 0;
  for (let row = 0; row < rows; row++) {
    const line = intRepr.subarray(row * columns, (row + 1) * columns);
    for (let column = 0; column < columns; column++) {
      const value = line[column];
      if (value !== 0) {
        indices[p] = column;
        data[p++] = value;
      }
    }
  }
  return { shape: [rows, columns], indptr, indices, data };
}

/** Room for the indices of `nnz` nonzeros, in the dtype that the number of columns asks for. */
export function newIndices(columns: number, nnz: number): Uint16Array | Int32Array {
  return columns <= MAX_UINT16_COLUMNS ? new Uint16Array(nnz) : new Int32Array(nnz);
}

function countNonzeros(intRepr: Int8Array, rows: number, columns: number): Int32Array {
  const indptr = new Int32Array(rows + 1);
  let nnz = 0;
  for (let row = 0; row < rows; row++) {
    const end = (row + 1) * columns;
    for (let i = row * columns; i < end; i++) nnz += intRepr[i] === 0 ? 0 : 1;
    checkLimit('too many nonzeros for int32 row pointers', nnz, 2 ** 31 - 1, { where: 'csr' });
    indptr[row + 1] = nnz;
  }
  return indptr;
}
