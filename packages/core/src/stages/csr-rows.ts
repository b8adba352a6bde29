import { PruneError } from '../errors/prune-error.js';
import { newColumnIndices } from './column-indices.js';
import type { CsrMatrix } from './int8-matrix.js';

/** Called with a row's nonzeros: columns `indices[start .. end]`, which ascend, and values `data[start .. end]`. Both arrays are valid during the call only. */
export type RowVisitor = (
  row: number,
  indices: Uint16Array | Int32Array,
  data: Int8Array,
  start: number,
  end: number,
) => void;

/**
 * A sparse int8 matrix that hands out its rows one after another: a stored matrix whose arrays are never made. Rows are checked by who takes them
 * (see {@link csrOfRows}), as arrays are.
 */
export interface CsrRows {
  readonly shape: readonly [rows: number, columns: number];
  readonly nnz: number;
  /** Every row in order, empty ones too; as often as it is called. Throws `corrupt` where the stored bytes turn out to be none. */
  forEachRow(visit: RowVisitor): void;
}

/**
 * The arrays of a matrix that hands out rows, indices in the dtype that its columns ask for. Throws `corrupt` when the rows are not those of a matrix
 * of that shape with that many nonzeros, columns not ascending within it.
 */
export function csrOfRows(source: CsrRows, place: { where?: string; tensor?: string } = {}): CsrMatrix {
  const { shape, nnz } = source;
  const [rows, columns] = shape;
  const matrix = {
    shape,
    indptr: new Int32Array(rows + 1),
    indices: newColumnIndices(columns, nnz),
    data: new Int8Array(nnz),
  };
  let count = 0;
  let next = 0;
  source.forEachRow((row, indices, data, start, end) => {
    if (row !== next || row >= rows) throw corrupt(`row ${next}`, row, `a row below ${rows}, in order`);
    const most = Math.min(data.length - start, nnz - count);
    if (!(start >= 0 && start <= end && end - start <= most))
      throw corrupt(`nonzeros of row ${row}`, end - start, `0 to ${most}`);
    let last = -1;
    for (let p = start; p < end; p++) {
      const column = indices[p];
      if (!(column > last && column < columns))
        throw corrupt(`column in row ${row}`, column, `${last + 1} to ${columns - 1}`);
      last = column;
      matrix.indices[count] = column;
      matrix.data[count++] = data[p];
    }
    matrix.indptr[++next] = count;
  });
  if (next !== rows) throw corrupt('rows', next, rows);
  if (count !== nnz) throw corrupt('nonzeros', count, nnz);
  return matrix;

  function corrupt(what: string, got: number | undefined, wanted: string | number): PruneError {
    return new PruneError('corrupt', { ...place, what, got, wanted });
  }
}
