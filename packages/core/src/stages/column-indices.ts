/** A CSR matrix of at most this many columns has uint16 indices, as in the notebook; a wider one has int32. */
export const MAX_UINT16_COLUMNS = 65_535;

/** Room for the column indices of `nnz` nonzeros, in the dtype that the number of columns asks for. */
export function newColumnIndices(columns: number, nnz: number): Uint16Array<ArrayBuffer> | Int32Array<ArrayBuffer> {
  return columns <= MAX_UINT16_COLUMNS ? new Uint16Array(nnz) : new Int32Array(nnz);
}
