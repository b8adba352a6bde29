import { COLUMN_WEIGHTS } from './column-weights.js';
import { type GapTables, ROW_CLASSES } from './gap-tables.js';
import { log2 } from './log2.js';

/** The mask's model: the chance that row r, column c holds a nonzero is 1 - (1 - hazard[rowClass[r]])^weight[columnClass[c]]. */
export interface MaskModel {
  /** `[columns]` index into COLUMN_WEIGHTS; 0 for a column without nonzeros. */
  readonly columnClass: Uint8Array;
  /** `[rows]` 0 for an empty row, else 1 + density class. */
  readonly rowClass: Uint8Array;
}

/** Slots a column, on average, that the fit starts from; measured: 4 to 8 differ by 0.1 %, and fewer slots mean smaller tables. */
const MEAN_WEIGHT = 6;
/** More slots than this make the gaps of a 6 % row longer than its table. */
const SLOTS_WANTED = 16_384;
/** Rounds of fitting rows to columns and back; from the sixth on it moves less than 0.02 % of the bytes. */
const ROUNDS = 6;

/**
 * Fits the model to the counts of a mask, rows and columns in turn (iterative proportional fitting on classes), each line taking the class
 * that makes its nonzeros and itself cheapest to say. Doubles, but only + - * / and comparisons, which IEEE 754 fixes to the bit, and
 * `log2`; a decoder never repeats this.
 */
export function fitMask(tables: GapTables, rowCounts: Int32Array, columnCounts: Int32Array, nnz: number): MaskModel {
  const rows = rowCounts.length;
  const columns = columnCounts.length;
  const columnClass = new Uint8Array(columns);
  const rowClass = new Uint8Array(rows);
  if (nnz === 0) return { columnClass, rowClass };

  const survival = Array.from({ length: ROW_CLASSES }, (_, k) => COLUMN_WEIGHTS.map((w) => tables.survival(k, w)));
  const mean = Math.min(MEAN_WEIGHT, Math.max(1, SLOTS_WANTED / columns));
  // Expected nonzeros of a column of each weight class, at first in proportion to the weight.
  let expected = COLUMN_WEIGHTS.map((w) => (w * nnz) / (mean * columns));
  const columnsOf = new Int32Array(COLUMN_WEIGHTS.length);
  const rowsOf = new Int32Array(ROW_CLASSES);
  for (let round = 0; ; round++) {
    const columnCost = costOf(expected, columnsOf);
    columnsOf.fill(0);
    for (let c = 0; c < columns; c++) {
      columnClass[c] = columnCounts[c] === 0 ? 0 : 1 + cheapest(columnCost, columnCounts[c], 1);
      columnsOf[columnClass[c]]++;
    }
    limitSlots(columnClass, columnsOf);
    const slots = COLUMN_WEIGHTS.reduce((sum, w, j) => sum + w * columnsOf[j], 0);
    const inRow = survival.map((of) => of.reduce((sum, s, j) => sum + columnsOf[j] * (1 - s), 0));
    const rowCost = costOf(inRow, rowsOf);
    rowsOf.fill(0);
    for (let r = 0; r < rows; r++) {
      if (rowCounts[r] === 0) continue;
      let k = cheapest(rowCost, rowCounts[r], 0);
      // The decoder's bound on escapes.
      while (k + 1 < ROW_CLASSES && slots > tables.reach[k] * (2 * rowCounts[r])) k++;
      rowClass[r] = k + 1;
      rowsOf[k]++;
    }
    if (round === ROUNDS - 1) return { columnClass, rowClass };
    expected = COLUMN_WEIGHTS.map((_, j) => survival.reduce((sum, of, k) => sum + rowsOf[k] * (1 - of[j]), 0));
  }
}

/** What it costs to give a line a class: so much, less so much for each of its nonzeros. Bits in 1 / 4,096. */
interface ClassCost {
  readonly line: Float64Array;
  readonly nonzero: Float64Array;
}

/** 4,096 x log2(e) */
const LOG2_E = 5909;

/**
 * A line of class j with e(j) nonzeros expected costs e(j) log2(e) - n log2 e(j) bits when it has n (a Poisson count's), and
 * its class by how often that was taken in the round before.
 */
function costOf(expected: readonly number[], taken: Int32Array): ClassCost {
  const all = taken.reduce((sum, n) => sum + n, 0);
  const line = Float64Array.from(expected, (e, j) => e * LOG2_E + (all === 0 ? 0 : log2(all) - log2(taken[j] + 0.25)));
  return { line, nonzero: Float64Array.from(expected, (e) => (e > 0 ? log2(e) : 0)) };
}

function cheapest({ line, nonzero }: ClassCost, count: number, first: number): number {
  let best = first;
  for (let j = first + 1; j < line.length; j++) {
    if (line[j] - count * nonzero[j] < line[best] - count * nonzero[best]) best = j;
  }
  return best - first;
}

/** The format's bound on slots, so that a stream cannot ask for much memory: heavier columns than it allows are made lighter. */
export function slotLimit(columns: number): number {
  return 16 * columns + 4096;
}

function limitSlots(columnClass: Uint8Array, columnsOf: Int32Array): void {
  const limit = slotLimit(columnClass.length);
  const total = () => COLUMN_WEIGHTS.reduce((sum, w, j) => sum + w * columnsOf[j], 0);
  for (let top = COLUMN_WEIGHTS.length - 1; top > 1 && total() > limit; top--) {
    for (let c = 0; c < columnClass.length; c++) if (columnClass[c] === top) columnClass[c]--;
    columnsOf[top - 1] += columnsOf[top];
    columnsOf[top] = 0;
  }
}
