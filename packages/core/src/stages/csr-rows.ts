/**
 * Called with a row's nonzeros: columns `indices[start .. end]`, which ascend, and values `data[start .. end]`. Both
 * arrays are valid during the call only.
 */
export type RowVisitor = (
  row: number,
  indices: Uint16Array | Int32Array,
  data: Int8Array,
  start: number,
  end: number,
) => void;

/**
 * A sparse int8 matrix that hands out its rows one after another: a stored matrix whose arrays are never made. The rows
 * are unchecked: take them with `takeRows`.
 */
export interface CsrRows {
  readonly shape: readonly [rows: number, columns: number];
  readonly nnz: number;
  /**
   * Visits every row in order, including empty ones. May be called repeatedly. Throws `corrupt` for bad stored bytes.
   */
  forEachRow(visit: RowVisitor): void;
}
