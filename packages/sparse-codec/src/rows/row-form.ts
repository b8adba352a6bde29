import type { TensorData } from '@prune/core';
import type { BinaryEncoder } from '../binary-coder.js';
import type { GroupCoder } from './group-coder.js';
import type { Lanes } from './lanes.js';
import type { SlotCoder } from './slot-coder.js';
import type { SlotTables } from './slot-tables.js';

/** The forms that a row can have; the first number of a directory. */
export const FORMS = { grid: 0, planes: 1, quantized: 2 } as const;

/** How the rows of a table are coded, known after all of them were seen once. */
export interface RowEncoder {
  readonly form: (typeof FORMS)[keyof typeof FORMS];
  readonly coder: SlotCoder;
  /** Raw bytes of a row. */
  readonly rawBytes: number;
  /** The most symbols of a row. */
  readonly symbols: number;
  /** The numbers of the form, in the directory before the tables. */
  readonly numbers: readonly number[];
  /** What the form says in adaptive bits, before the levels of its tables. */
  writeModel?(model: BinaryEncoder): void;
  /** Pushes row `row`. */
  encodeRow(row: number, group: GroupCoder): void;
}

/** What the directory says of the rows, ready to decode them. */
export interface RowDecoder {
  /** Symbols of a field of a row. */
  readonly width: number;
  readonly rawBytes: number;
  readonly tables: SlotTables;
  /** Memory for `rows` rows, and what decodes into it. */
  memory(rows: number): RowMemory;
}

export interface RowMemory {
  /** The tensors' elements: one array, or scales, zero points and codes. */
  readonly arrays: readonly TensorData[];
  /** Decodes the next row of the first `count` lanes, to the row that each is at. */
  decodeRows(lanes: Lanes, count: number): void;
}
