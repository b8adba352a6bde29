import type { CsrMatrix, CsrRows, DenseInt8Matrix } from '@prune/core';

/** The rows of a matrix, whatever it is; a dense one's without its zeros. */
export function rowsOf(weight: CsrMatrix | DenseInt8Matrix | CsrRows): CsrRows {
  if ('forEachRow' in weight) return weight;
  const { shape } = weight;
  const [rows, columns] = shape;
  if (!('intRepr' in weight)) {
    const { indptr, indices, data } = weight;
    return {
      shape,
      nnz: data.length,
      forEachRow(visit) {
        for (let row = 0; row < rows; row++) visit(row, indices, data, indptr[row], indptr[row + 1]);
      },
    };
  }
  const { intRepr } = weight;
  const indices = new Int32Array(columns);
  const data = new Int8Array(columns);
  let nnz = 0;
  for (let i = 0; i < intRepr.length; i++) if (intRepr[i] !== 0) nnz++;
  return {
    shape,
    nnz,
    forEachRow(visit) {
      for (let row = 0, i = 0; row < rows; row++) {
        let count = 0;
        for (let column = 0; column < columns; column++, i++) {
          if (intRepr[i] === 0) continue;
          indices[count] = column;
          data[count++] = intRepr[i];
        }
        visit(row, indices, data, 0, count);
      }
    },
  };
}
