/** A CSR matrix of at most this many columns has uint16 indices, as in the notebook; a wider one has int32. */
export const MAX_UINT16_COLUMNS = 65_535;

/** The array that holds the column indices of a matrix of so many columns. */
export function columnIndexArray(columns: number): typeof Uint16Array | typeof Int32Array {
  return columns <= MAX_UINT16_COLUMNS ? Uint16Array : Int32Array;
}

/** Room for the column indices of `nnz` nonzeros, in the dtype that the number of columns asks for. */
export function newColumnIndices(columns: number, nnz: number): Uint16Array | Int32Array {
  return new (columnIndexArray(columns))(nnz);
}
