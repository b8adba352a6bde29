/** An int8 matrix, dense, row-major `[rows, columns]`. Zero points are 0: symmetric quantization. */
export interface DenseInt8Matrix {
  readonly shape: readonly [rows: number, columns: number];
  readonly intRepr: Int8Array;
}

/** An int8 matrix in compressed sparse rows. Column indices ascend within a row; no stored zero. */
export interface CsrMatrix {
  readonly shape: readonly [rows: number, columns: number];
  /** `[rows + 1]`: row r's nonzeros are `indptr[r] .. indptr[r + 1]`. */
  readonly indptr: Int32Array;
  /** `[nnz]` column of each nonzero; uint16 up to 65,535 columns, int32 past that. */
  readonly indices: Uint16Array | Int32Array;
  /** `[nnz]` value of each nonzero. */
  readonly data: Int8Array;
}
