import { type CsrMatrix, PruneError } from '@prune/state-dict';

/** Throws `mismatch` unless the arrays are a CSR matrix as {@link CsrMatrix} says: ascending columns, no stored zero. */
export function checkCsr({ shape, indptr, indices, data }: CsrMatrix): void {
  const [rows, columns] = shape;
  const nnz = data.length;
  const wrong = (what: string, got: string | number, wanted: string | number) =>
    new PruneError('mismatch', { where: 'sparse-codec', what, got, wanted });
  for (const n of shape) {
    if (!Number.isSafeInteger(n) || n < 0) throw wrong('bad shape', `[${shape.join(', ')}]`, 'integers >= 0');
  }
  if (indptr.length !== rows + 1) throw wrong('indptr has the wrong length', indptr.length, rows + 1);
  if (indices.length !== nnz) throw wrong('indices and data differ in length', indices.length, nnz);
  if (indptr[0] !== 0) throw wrong('indptr[0] is not 0', indptr[0], 0);
  if (indptr[rows] !== nnz) throw wrong('indptr does not end at nnz', indptr[rows], nnz);
  for (let r = 0; r < rows; r++) {
    if (indptr[r + 1] < indptr[r] || indptr[r + 1] > nnz) {
      throw wrong(`indptr[${r + 1}] does not ascend`, indptr[r + 1], `${indptr[r]} to ${nnz}`);
    }
    let before = -1;
    for (let p = indptr[r]; p < indptr[r + 1]; p++) {
      const column = indices[p];
      if (column <= before || column >= columns) {
        throw wrong(`indices[${p}] does not ascend`, column, `${before + 1} to ${columns - 1}`);
      }
      before = column;
      if (data[p] === 0) throw wrong(`data[${p}] is a stored zero`, 0, 'a nonzero');
    }
  }
}
