import { type CsrMatrix, PruneError } from '@prune/core';
import { checkCsr } from './check-matrix.js';

/** Options of {@link csrStatistics}. */
export interface CsrStatisticsOptions {
  /** Rows (or columns) of one attention head: hidden size / heads. Left out, heads are not counted. */
  readonly headSize?: number;
  /** Heads lie along the rows of query, key and value, and along the columns of `attention.output.dense`. Default: `rows`. */
  readonly headAxis?: 'rows' | 'columns';
}

/** Where the nonzeros of a matrix are. */
export interface CsrStatistics {
  readonly nnz: number;
  /** nnz / (rows * columns); 0 for a matrix without elements. */
  readonly density: number;
  /** `[rows]` nonzeros of each row. */
  readonly rowCounts: Int32Array;
  /** `[columns]` nonzeros of each column. */
  readonly columnCounts: Int32Array;
  /** Rows without a nonzero: outputs that are only their bias. */
  readonly deadRows: number;
  /** Columns without a nonzero: inputs that are not read. */
  readonly deadColumns: number;
  /** `[heads]` nonzeros of each head, when a head size was given. */
  readonly headCounts?: Int32Array;
}

/** Counts the nonzeros of a valid CSR matrix. Throws `invalid-argument` when the head size does not divide the axis. */
export function csrStatistics(matrix: CsrMatrix, options: CsrStatisticsOptions = {}): CsrStatistics {
  checkCsr('matrix of csrStatistics', matrix);
  const { shape, indptr, indices, data } = matrix;
  const [rows, columns] = shape;
  const rowCounts = new Int32Array(rows);
  for (let row = 0; row < rows; row++) rowCounts[row] = indptr[row + 1] - indptr[row];
  const columnCounts = new Int32Array(columns);
  for (let p = 0; p < indices.length; p++) columnCounts[indices[p]]++;
  const { headSize, headAxis = 'rows' } = options;
  return {
    nnz: data.length,
    density: data.length === 0 ? 0 : data.length / (rows * columns),
    rowCounts,
    columnCounts,
    deadRows: zeros(rowCounts),
    deadColumns: zeros(columnCounts),
    headCounts: headSize === undefined ? undefined : sums(headAxis === 'rows' ? rowCounts : columnCounts, headSize),
  };
}

function zeros(counts: Int32Array): number {
  let found = 0;
  for (const count of counts) if (count === 0) found++;
  return found;
}

function sums(counts: Int32Array, size: number): Int32Array {
  if (!(Number.isInteger(size) && size > 0 && counts.length % size === 0)) {
    throw new PruneError('invalid-argument', {
      where: 'csr',
      what: 'head size does not divide the axis',
      got: size,
      wanted: `a divisor of ${counts.length}`,
    });
  }
  const heads = new Int32Array(counts.length / size);
  for (let i = 0; i < counts.length; i++) heads[Math.floor(i / size)] += counts[i];
  return heads;
}
