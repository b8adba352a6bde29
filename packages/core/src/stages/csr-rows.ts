/**
 * Called with a row's nonzeros: columns `indices[start .. end]`, which ascend, and values `data[start .. end]`. Both arrays are valid during the call
 * only.
 */
export type RowVisitor = (
  row: number,
  indices: Uint16Array | Int32Array,
  data: Int8Array,
  start: number,
  end: number,
) => void;

/**
 * A sparse int8 matrix that hands out its rows one after another: a stored matrix whose arrays are never made. Nobody has checked the rows: who takes
 * them does so with `takeRows`.
 */
export interface CsrRows {
  readonly shape: readonly [rows: number, columns: number];
  readonly nnz: number;
  /** Every row in order, empty ones too; as often as it is called. Throws `corrupt` where the stored bytes turn out not to be such rows. */
  forEachRow(visit: RowVisitor): void;
}
