import { inBlocks, type Pacer } from '@prune/core';
import type { BinaryEncoder } from '../binary-coder.js';
import { writeMeans } from '../grid-rows.js';
import type { GroupCoder } from './group-coder.js';
import { MAX_SYMBOLS } from './slot-tables.js';

/**
 * Classes of rows by how far they spread around the column means, and the tables' size from which on they pay (as in
 * codec `entropy`).
 */
export const MAX_CLASSES = 8;
const LEAST_SYMBOLS = 1 << 14;

/** Rows of integers from 0 to 2,047 that are read as often as an encoder wants. */
export interface IntegerSource {
  readonly rows: number;
  readonly width: number;
  /** Writes the integers of a row; `false` for a row that is coded in another way. */
  read(row: number, into: Uint16Array): boolean;
}

/** Columns less their means, and rows in classes by their spread: what {@link fitIntegerRows} found. */
export interface IntegerRows {
  readonly mean: Int32Array;
  /** The least difference from a mean; at most 0 where there are rows. */
  readonly lowest: number;
  /** Differences there can be. */
  readonly alphabet: number;
  /** How often each class of rows occurs. */
  readonly classCounts: Int32Array;
  /** For each class how often each difference occurs. */
  readonly counts: readonly Int32Array[];
  /** Pushes the row whose integers are in `symbols`, which it overwrites: its class, then its differences. */
  encodeRow(row: number, symbols: Uint16Array, group: GroupCoder): void;
  writeModel(model: BinaryEncoder): void;
}

/**
 * Passes over the rows: column means, then spreads, then counts. `otherRows`: whether table 0 has a symbol after the
 * classes, for rows that are coded in another way.
 */
export async function fitIntegerRows(source: IntegerSource, pacer: Pacer, otherRows = false): Promise<IntegerRows> {
  const { rows, width } = source;
  const symbols = new Uint16Array(width);
  const eachRow = (visit: (row: number) => void) =>
    inBlocks(
      rows,
      pacer,
      (from, to) => {
        for (let row = from; row < to; row++) if (source.read(row, symbols)) visit(row);
      },
      width,
    );
  const sums = new Float64Array(width);
  let own = 0;
  let most = 0;
  await eachRow(() => {
    own++;
    for (let c = 0; c < width; c++) sums[c] += symbols[c];
    for (let c = 0; c < width; c++) if (symbols[c] > most) most = symbols[c];
  });
  const large = own * width >= LEAST_SYMBOLS;
  const mean = new Int32Array(width);
  if (large) for (let c = 0; c < width; c++) mean[c] = Math.floor((2 * sums[c] + own) / (2 * own));
  const spread = new Float64Array(rows);
  let lowest = 0;
  let highest = 0;
  await eachRow((row) => {
    let sum = 0;
    for (let c = 0; c < width; c++) {
      const difference = symbols[c] - mean[c];
      if (difference < lowest) lowest = difference;
      if (difference > highest) highest = difference;
      sum += Math.abs(difference);
    }
    spread[row] = sum + 1;
  });
  if (highest - lowest >= MAX_SYMBOLS) {
    mean.fill(0);
    lowest = 0;
    highest = most;
  }
  const alphabet = highest - lowest + 1;
  const classes = large ? MAX_CLASSES : 1;
  const classOf = spreadClasses(spread, own, classes);
  const classCounts = new Int32Array(classes + (otherRows ? 1 : 0));
  const counts = Array.from({ length: classes }, () => new Int32Array(alphabet));
  const shift = mean.map((m) => m + lowest);
  await eachRow((row) => {
    classCounts[classOf[row]]++;
    const count = counts[classOf[row]];
    for (let c = 0; c < width; c++) count[symbols[c] - shift[c]]++;
  });
  if (otherRows) classCounts[classes] = rows - own;
  return {
    mean,
    lowest,
    alphabet,
    classCounts,
    counts,
    encodeRow(row, integers, group) {
      group.push(0, classOf[row]);
      for (let c = 0; c < width; c++) integers[c] -= shift[c];
      group.pushField(1 + classOf[row], integers, width);
    },
    writeModel: (model) => writeMeans(model, mean),
  };
}

/** Classes of about as many rows each; a spread of 0 is that of a row that has none. */
function spreadClasses(spread: Float64Array, own: number, classes: number): Uint8Array {
  const sorted = spread.filter((s) => s > 0).sort();
  const starts = Array.from({ length: classes - 1 }, (_, i) => sorted[Math.floor(((i + 1) * own) / classes)]);
  return Uint8Array.from(spread, (s) => starts.filter((start) => s >= start).length);
}
