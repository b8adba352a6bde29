import { type CsrMatrix, PruneError } from '@prune/core';

/** What keeps the arrays from being a CSR matrix as {@link CsrMatrix} says (ascending columns, no stored zero): a `mismatch`, or `undefined`. */
export function csrFault({ shape, indptr, indices, data }: CsrMatrix): PruneError | undefined {
  const [rows, columns] = shape;
  const nnz = data.length;
  const wrong = (what: string, got: string | number, wanted: string | number) =>
    new PruneError('mismatch', { where: 'sparse-codec', what, got, wanted });
  for (const n of shape) {
    if (!Number.isSafeInteger(n) || n < 0) return wrong('bad shape', `[${shape.join(', ')}]`, 'integers >= 0');
  }
  if (indptr.length !== rows + 1) return wrong('indptr has the wrong length', indptr.length, rows + 1);
  if (indices.length !== nnz) return wrong('indices and data differ in length', indices.length, nnz);
  if (indptr[0] !== 0) return wrong('indptr[0] is not 0', indptr[0], 0);
  if (indptr[rows] !== nnz) return wrong('indptr does not end at nnz', indptr[rows], nnz);
  for (let r = 0; r < rows; r++) {
    if (indptr[r + 1] < indptr[r] || indptr[r + 1] > nnz) {
      return wrong(`indptr[${r + 1}] does not ascend`, indptr[r + 1], `${indptr[r]} to ${nnz}`);
    }
    let before = -1;
    for (let p = indptr[r]; p < indptr[r + 1]; p++) {
      const column = indices[p];
      if (column <= before || column >= columns) {
        return wrong(`indices[${p}] does not ascend`, column, `${before + 1} to ${columns - 1}`);
      }
      before = column;
      if (data[p] === 0) return wrong(`data[${p}] is a stored zero`, 0, 'a nonzero');
    }
  }
  return undefined;
}
