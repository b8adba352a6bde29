import { newColumnIndices } from './column-indices.js';
import type { CsrRows } from './csr-rows.js';
import type { CsrMatrix } from './int8-matrix.js';
import { type RowTaker, takeRows } from './take-rows.js';

/**
 * The arrays of a matrix that hands out rows, indices in the dtype that its columns ask for. Throws `corrupt` when the
 * rows are not those of a matrix of that shape with that many nonzeros, columns not ascending within it.
 */
export function csrOfRows(source: CsrRows, place: { where?: string; tensor?: string } = {}): CsrMatrix {
  const { shape, nnz } = source;
  const [rows, columns] = shape;
  const indptr = new Int32Array(rows + 1);
  const indices = newColumnIndices(columns, nnz);
  const data = new Int8Array(nnz);
  const take: RowTaker = (row, rowIndices, rowData, start, end) => {
    const shift = indptr[row] - start;
    let previous = -1;
    for (let p = start; p < end; p++) {
      const column = rowIndices[p];
      if (column <= previous) return p;
      previous = column;
      indices[p + shift] = column;
      data[p + shift] = rowData[p];
    }
    // Columns ascend, so the last one is the largest.
    if (previous >= columns) return end - 1;
    indptr[row + 1] = end + shift;
    return end;
  };
  takeRows(source, take, place);
  return { shape, indptr, indices, data };
}
