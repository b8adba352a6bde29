import { type CsrMatrix, csrFault, elementCount, PruneError } from '@prune/core';
import { checkCsr } from './check-matrix.js';

/**
 * Throws unless every invariant of a {@link CsrMatrix} holds (see `csrFault` of `@prune/core`). After it, no index can
 * leave an array. Throws `mismatch` for dtypes and lengths, `corrupt` for contents, `limit` for a matrix that is too
 * large. `place.tensor` names the matrix in messages.
 */
export function validateCsr(
  matrix: CsrMatrix,
  place: { readonly where?: string; readonly tensor?: string } = {},
): void {
  checkCsr('matrix of validateCsr', matrix);
  const at = { where: 'csr', ...place };
  // csrFault refuses any other rank.
  if (matrix.shape.length === 2) elementCount({ dtype: 'int8', shape: matrix.shape }, at);
  const fault = csrFault(matrix);
  if (fault === undefined) return;
  const { kind, ...details } = fault;
  throw new PruneError(kind === 'contents' ? 'corrupt' : 'mismatch', { ...at, ...details });
}
