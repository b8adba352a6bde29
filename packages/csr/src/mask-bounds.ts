import type { CsrMatrix } from '@prune/state-dict';
import { csrStatistics } from './csr-statistics.js';
import { symbolEntropy } from './value-entropy.js';

/** Bits that ideal coders need for WHERE the nonzeros of a matrix are. What they must be told first (counts, frequencies) is not in it. */
export interface MaskBounds {
  /** Every element a coin of the matrix's density d: `N * (-d log2 d - (1 - d) log2 (1 - d))`. */
  readonly independent: number;
  /** The distance from each nonzero to the one before it in its row (to the edge for the first), order 0; the row's count is known. */
  readonly rowGaps: number;
  /**
   * The number of nonzeros of every row and every column known: entropy of the distribution that fits these and assumes nothing more
   * (maximum entropy; element (i, j) is set with odds u_i * v_j). Where the mask has no other structure, no coder gets below.
   */
  readonly rowsAndColumns: number;
}

/** Rounds of iterative scaling after which the fit stops, should it not have converged. Pruned matrices take 10 to 40. */
const MAX_ROUNDS = 500;
/** Relative error of a row's expected count at which the fit is done. */
const TOLERANCE = 1e-9;

/** The {@link MaskBounds} of a valid CSR matrix, in bits. */
export function maskBounds(matrix: CsrMatrix): MaskBounds {
  const { rowCounts, columnCounts, nnz } = csrStatistics(matrix);
  const elements = matrix.shape[0] * matrix.shape[1];
  return {
    independent: symbolEntropy([nnz, elements - nnz]),
    rowGaps: rowGapEntropy(matrix),
    rowsAndColumns: marginEntropy(rowCounts, columnCounts),
  };
}

function rowGapEntropy({ shape, indptr, indices }: CsrMatrix): number {
  const counts = new Float64Array(shape[1] + 1);
  for (let row = 0; row < shape[0]; row++) {
    let previous = -1;
    for (let p = indptr[row]; p < indptr[row + 1]; p++) {
      counts[indices[p] - previous]++;
      previous = indices[p];
    }
  }
  return symbolEntropy(counts);
}

/** Lines (rows or columns) with one and the same count: by symmetry they share one factor. */
interface LineClass {
  readonly count: number;
  readonly lines: number;
  factor: number;
}

/**
 * Entropy in bits of the maximum-entropy 0/1 matrix with these margins. Lines of equal count have equal factors, so the fit runs over
 * classes: a 3072 x 768 matrix with 150 and 200 distinct counts is a 150 x 200 problem. Each round solves u = r / sum_j (v_j / (1 + u v_j))
 * once for rows and once for columns (iterative scaling). The result is the code length under the fitted model, which is convex in the
 * logarithms of the factors and never below the optimum; at convergence it is the entropy.
 */
function marginEntropy(rowCounts: Int32Array, columnCounts: Int32Array): number {
  const { rows, columns } = undecided(rowCounts, columnCounts);
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const error = scale(rows, columns);
    scale(columns, rows);
    if (error < TOLERANCE) break;
  }
  let bits = 0;
  for (const row of rows) {
    bits -= row.lines * row.count * Math.log2(row.factor);
    for (const column of columns) bits += row.lines * column.lines * Math.log2(1 + row.factor * column.factor);
  }
  for (const column of columns) bits -= column.lines * column.count * Math.log2(column.factor);
  return Math.max(bits, 0);
}

/** One pass over one side; the largest relative error of a line's expected count before it. */
function scale(side: LineClass[], other: readonly LineClass[]): number {
  let worst = 0;
  for (const line of side) {
    let sum = 0;
    for (const { factor, lines } of other) sum += (lines * factor) / (1 + line.factor * factor);
    worst = Math.max(worst, Math.abs((line.factor * sum) / line.count - 1));
    line.factor = line.count / sum;
  }
  return worst;
}

/**
 * The classes of lines that are neither empty nor full. Those are certain and cost nothing, and a full row takes one from every column's
 * count, which may settle further lines; so they are taken away until none is left.
 */
function undecided(rowCounts: Int32Array, columnCounts: Int32Array) {
  let rows = histogram(rowCounts);
  let columns = histogram(columnCounts);
  let before: number;
  do {
    before = rows.length + columns.length;
    [rows, columns] = withoutCertain(rows, columns);
    [columns, rows] = withoutCertain(columns, rows);
  } while (rows.length + columns.length < before);
  const density = total(rows) / (size(rows) * size(columns));
  const start = Math.sqrt(density / (1 - density));
  for (const line of [...rows, ...columns]) line.factor = start;
  return { rows, columns };
}

/** `side` without its empty and full lines, and `other` with its counts lowered by the full ones. */
function withoutCertain(side: LineClass[], other: LineClass[]): [side: LineClass[], other: LineClass[]] {
  const length = size(other);
  const full = size(side.filter(({ count }) => count === length && count > 0));
  return [
    side.filter(({ count }) => count > 0 && count < length),
    other.map((line) => ({ ...line, count: line.count - full })),
  ];
}

function histogram(counts: Int32Array): LineClass[] {
  const lines = new Map<number, number>();
  for (const count of counts) lines.set(count, (lines.get(count) ?? 0) + 1);
  return [...lines].map(([count, n]) => ({ count, lines: n, factor: 1 }));
}

function size(side: readonly LineClass[]): number {
  return side.reduce((sum, { lines }) => sum + lines, 0);
}

function total(side: readonly LineClass[]): number {
  return side.reduce((sum, { lines, count }) => sum + lines * count, 0);
}
