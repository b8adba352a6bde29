import { COLUMN_WEIGHTS } from './column-weights.js';
import { type GapTables, ROW_CLASSES } from './gap-tables.js';

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
/** Rounds of fitting rows to columns and back; the third moves less than 0.02 % of the mask's bits. */
const ROUNDS = 4;

/**
 * Fits the model to the counts of a mask, rows and columns in turn (iterative proportional fitting on classes).
 * Doubles, but only + - * / and comparisons, which IEEE 754 fixes to the bit; a decoder never repeats this.
 */
export function fitMask(tables: GapTables, rowCounts: Int32Array, columnCounts: Int32Array, nnz: number): MaskModel {
  const rows = rowCounts.length;
  const columns = columnCounts.length;
  const columnClass = new Uint8Array(columns);
  const rowClass = new Uint8Array(rows);
  if (nnz === 0) return { columnClass, rowClass };

  const survival = Array.from({ length: ROW_CLASSES }, (_, k) => COLUMN_WEIGHTS.map((w) => tables.survival(k, w)));
  const mean = Math.min(MEAN_WEIGHT, Math.max(1, SLOTS_WANTED / columns));
  const perCount = (mean * columns) / nnz;
  // Expected nonzeros of a column of each weight class, ascending: at first in proportion to the weight.
  let expected = COLUMN_WEIGHTS.map((w) => w / perCount);
  for (let round = 0; ; round++) {
    const columnsOf = new Int32Array(COLUMN_WEIGHTS.length);
    for (let c = 0; c < columns; c++) {
      columnClass[c] = columnCounts[c] === 0 ? 0 : nearest(expected, columnCounts[c]);
      columnsOf[columnClass[c]]++;
    }
    limitSlots(columnClass, columnsOf);
    // Expected nonzeros of a row of each density class, descending.
    const inRow = survival.map((of) => of.reduce((sum, s, j) => sum + columnsOf[j] * (1 - s), 0));
    const slots = COLUMN_WEIGHTS.reduce((sum, w, j) => sum + w * columnsOf[j], 0);
    const rowsOf = new Int32Array(ROW_CLASSES);
    for (let r = 0; r < rows; r++) {
      if (rowCounts[r] === 0) continue;
      let k = 0;
      while (k + 1 < ROW_CLASSES && rowCounts[r] * rowCounts[r] < inRow[k] * inRow[k + 1]) k++;
      while (k + 1 < ROW_CLASSES && slots > tables.reach[k] * (2 * rowCounts[r])) k++;
      rowClass[r] = k + 1;
      rowsOf[k]++;
    }
    if (round === ROUNDS - 1) return { columnClass, rowClass };
    expected = COLUMN_WEIGHTS.map((_, j) => survival.reduce((sum, of, k) => sum + rowsOf[k] * (1 - of[j]), 0));
  }
}

/** The class >= 1 whose expectation is nearest in ratio. */
function nearest(expected: readonly number[], count: number): number {
  let j = 1;
  while (j + 1 < expected.length && count * count > expected[j] * expected[j + 1]) j++;
  return j;
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
