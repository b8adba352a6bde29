import type { CsrMatrix } from '@prune/core';
import { checkCsr } from './check-matrix.js';
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
   * (maximum entropy; element (i, j) is set with odds u_i * v_j). The masks with exactly these counts are fewer than 2 to the power of this,
   * by about what telling the counts costs, so a coder that is told them and knows nothing else ends near it.
   */
  readonly rowsAndColumns: number;
}

/** Rounds of iterative scaling after which the fit stops, should it not have converged. BERT-base's matrices at 6 % take 19 to 57. */
const MAX_ROUNDS = 500;
/** Relative error of a row's expected count at which the fit is done. */
const TOLERANCE = 1e-6;

/** The {@link MaskBounds} of a valid CSR matrix, in bits. */
export function maskBounds(matrix: CsrMatrix): MaskBounds {
  checkCsr('matrix of maskBounds', matrix);
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

/** Lines (rows or columns) with one and the same count. */
interface LineClass {
  readonly count: number;
  readonly lines: number;
}

/** The classes of one side in arrays, with the factor that all lines of a class share by symmetry. */
interface Side {
  readonly counts: Float64Array;
  readonly lines: Float64Array;
  readonly factors: Float64Array;
}

/**
 * Entropy in bits of the maximum-entropy 0/1 matrix with these margins. Lines of equal count have equal factors, so the fit runs over
 * classes: a 3072 x 768 matrix with 150 and 200 distinct counts is a 150 x 200 problem. Each round solves u = r / sum_j (v_j / (1 + u v_j))
 * once for rows and once for columns (iterative scaling). The result is the code length under the fitted model, which is convex in the
 * logarithms of the factors and never below the optimum; at convergence it is the entropy.
 */
function marginEntropy(rowCounts: Int32Array, columnCounts: Int32Array): number {
  const [rows, columns] = undecided(rowCounts, columnCounts);
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const error = Math.max(scale(rows, columns), scale(columns, rows));
    if (error < TOLERANCE) break;
  }
  let bits = marginBits(rows) + marginBits(columns);
  for (let i = 0; i < rows.lines.length; i++) {
    for (let j = 0; j < columns.lines.length; j++) {
      bits += rows.lines[i] * columns.lines[j] * Math.log2(1 + rows.factors[i] * columns.factors[j]);
    }
  }
  return Math.max(bits, 0);
}

function marginBits({ lines, counts, factors }: Side): number {
  return factors.reduce((bits, factor, i) => bits - lines[i] * counts[i] * Math.log2(factor), 0);
}

/** One pass over one side; the largest relative error of a line's expected count before it. */
function scale(side: Side, other: Side): number {
  let worst = 0;
  for (let i = 0; i < side.factors.length; i++) {
    const factor = side.factors[i];
    let sum = 0;
    for (let j = 0; j < other.factors.length; j++) {
      sum += (other.lines[j] * other.factors[j]) / (1 + factor * other.factors[j]);
    }
    worst = Math.max(worst, Math.abs((factor * sum) / side.counts[i] - 1));
    side.factors[i] = side.counts[i] / sum;
  }
  return worst;
}

/**
 * The classes of lines that are neither empty nor full. Those are certain and cost nothing, and a full row takes one from every column's
 * count, which may settle further lines; so they are taken away until none is left.
 */
function undecided(rowCounts: Int32Array, columnCounts: Int32Array): [rows: Side, columns: Side] {
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
  return [sideOf(rows, start), sideOf(columns, start)];
}

function sideOf(classes: readonly LineClass[], factor: number): Side {
  return {
    counts: Float64Array.from(classes, ({ count }) => count),
    lines: Float64Array.from(classes, ({ lines }) => lines),
    factors: new Float64Array(classes.length).fill(factor),
  };
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
  return [...lines].map(([count, n]) => ({ count, lines: n }));
}

function size(side: readonly LineClass[]): number {
  return side.reduce((sum, { lines }) => sum + lines, 0);
}

function total(side: readonly LineClass[]): number {
  return side.reduce((sum, { lines, count }) => sum + lines * count, 0);
}
