import { type CsrRows, csrArrayNames, isPruneError, locateError, type NamedInfo, PruneError } from '@prune/core';

/** Whether a block holds the three arrays of the matrix `name`, and nothing else. */
export function isMatrixBlock(name: string, infos: readonly NamedInfo[]): boolean {
  const arrays = Object.values(csrArrayNames(name));
  return infos.length === arrays.length && arrays.every((array) => infos.some((info) => info.name === array));
}

/**
 * Checks that a codec's rows are as many as the arrays in the manifest have, with as many nonzeros, and adds the file
 * and the tensor to any error that the codec throws while rows are visited.
 */
export function storedRows(rows: CsrRows, infos: readonly NamedInfo[], where: string, tensor: string): CsrRows {
  const { shape, nnz } = rows;
  const names = csrArrayNames(tensor);
  const lengthOf = (array: string) => infos.find(({ name }) => name === array)?.shape[0];
  if (shape[0] + 1 !== lengthOf(names.indptr) || nnz !== lengthOf(names.data)) {
    throw new PruneError('corrupt', {
      what: 'rows from a codec',
      got: `${shape[0]} rows, ${nnz} nonzeros`,
      wanted: `indptr of ${lengthOf(names.indptr)}, ${lengthOf(names.data)} nonzeros`,
    });
  }
  return {
    shape,
    nnz,
    forEachRow(visit) {
      try {
        rows.forEachRow(visit);
      } catch (error) {
        // Any other error is the visitor's own.
        throw isPruneError(error) ? locateError(error, { where, tensor }) : error;
      }
    },
  };
}
