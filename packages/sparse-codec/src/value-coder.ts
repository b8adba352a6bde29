import { corrupt } from './corrupt.js';
import { SCALE, SCALE_BITS } from './gap-tables.js';
import { lowsOf } from './lows-of.js';
import { checkEnd, stateAt, wordsOf } from './mask-decoder.js';
import { RansEncoder, STATE_MIN } from './rans-encoder.js';

/** A value's symbol is its magnitude and its sign, which halves the magnitude's range. */
const VALUE_BITS = SCALE_BITS + 1;
/** Two coder states take turns: twice as fast as one, 4 bytes a block. */
const STATES = 2;
const MASK = 2 * SCALE - 1;

/** Where in a matrix a value is, as contexts see it. */
export interface ContextMap {
  /** Groups a side. */
  readonly groups: number;
  /** `[rows]` and `[columns]`: the group of each. */
  readonly rowGroup: Uint8Array;
  readonly columnGroup: Uint8Array;
}

/** The nonzeros that a block's values belong to: rows `from .. to` of `indptr`. */
export interface ValueRows {
  readonly indptr: Int32Array;
  readonly indices: Uint16Array | Int32Array;
  readonly data: Int8Array;
  readonly from: number;
  readonly to: number;
}

/** The values of some rows as bytes. `frequency`: for every context, of magnitudes 1 .. 128, summing to 4,096, none 0 that occurs. */
export function encodeValues(frequency: readonly Uint16Array[], map: ContextMap, rows: ValueRows): Uint8Array {
  const { indptr, indices, data, from, to } = rows;
  const low = frequency.map(lowsOf);
  const coder = new RansEncoder(VALUE_BITS);
  for (let r = from; r < to; r++) {
    const context = map.rowGroup[r] * map.groups;
    for (let p = indptr[r]; p < indptr[r + 1]; p++) {
      const c = context + map.columnGroup[indices[p]];
      const magnitude = Math.abs(data[p]) - 1;
      const f = frequency[c][magnitude];
      coder.push(2 * low[c][magnitude] + (data[p] < 0 ? f : 0), f);
    }
  }
  return coder.finish(STATES);
}

/** For every context 4,096 entries, one for each two positions: magnitude << 24 | low << 12 | frequency - 1; made once a matrix. */
export function valueTables(frequency: readonly Uint16Array[]): Int32Array {
  const table = new Int32Array(frequency.length * SCALE);
  let position = 0;
  frequency.forEach((of, context) => {
    const start = position;
    for (let m = 0; m < of.length; m++) {
      const f = of[m];
      if (f === 0) continue;
      table.fill(((m + 1) << 24) | ((position - start) << 12) | (f - 1), position, position + f);
      position += f;
    }
    if (position !== SCALE * (context + 1)) throw corrupt('table of magnitudes is empty', 0, SCALE);
  });
  return table;
}

/** Writes `data` of rows whose indices are there, values in one context. */
export function decodeValues(table: Int32Array, block: Uint8Array, data: Int8Array, from: number, to: number): void {
  const words = wordsOf(block, STATES);
  let even = stateAt(words, 0);
  let odd = stateAt(words, 2);
  let at = 4;
  let p = from;
  for (; p + 1 < to; p += 2) {
    const one = table[(even & MASK) >> 1];
    const two = table[(odd & MASK) >> 1];
    const frequency1 = (one & 0xfff) + 1;
    const frequency2 = (two & 0xfff) + 1;
    const offset1 = (even & MASK) - ((one >>> 11) & 0x1ffe);
    const offset2 = (odd & MASK) - ((two >>> 11) & 0x1ffe);
    // -1 in the upper half of the range, which is that of negative values.
    const negative1 = (frequency1 - 1 - offset1) >> 31;
    const negative2 = (frequency2 - 1 - offset2) >> 31;
    data[p] = ((one >>> 24) ^ negative1) - negative1;
    data[p + 1] = ((two >>> 24) ^ negative2) - negative2;
    even = (Math.imul(frequency1, even >>> VALUE_BITS) + offset1 - (frequency1 & negative1)) | 0;
    if (even < STATE_MIN) even = (even << 16) | words[at++];
    odd = (Math.imul(frequency2, odd >>> VALUE_BITS) + offset2 - (frequency2 & negative2)) | 0;
    if (odd < STATE_MIN) odd = (odd << 16) | words[at++];
  }
  if (p < to) {
    const one = table[(even & MASK) >> 1];
    const frequency = (one & 0xfff) + 1;
    const offset = (even & MASK) - ((one >>> 11) & 0x1ffe);
    const negative = (frequency - 1 - offset) >> 31;
    data[p] = ((one >>> 24) ^ negative) - negative;
    even = (Math.imul(frequency, even >>> VALUE_BITS) + offset - (frequency & negative)) | 0;
    if (even < STATE_MIN) even = (even << 16) | words[at++];
  }
  checkEnd(words, at, even);
  checkEnd(words, at, odd);
}

/** Writes `data` of rows whose indices are there, values in contexts. `firstRow`: what row 0 of `rows` is in the map. */
export function decodeContextValues(
  tables: Int32Array,
  map: ContextMap,
  block: Uint8Array,
  rows: ValueRows,
  firstRow: number,
): void {
  const { indptr, indices, data, from, to } = rows;
  const { groups, rowGroup, columnGroup } = map;
  const words = wordsOf(block, STATES);
  // The state whose turn it is, and the other.
  let now = stateAt(words, 0);
  let then = stateAt(words, 2);
  let at = 4;
  for (let r = from; r < to; r++) {
    const context = rowGroup[firstRow + r] * groups;
    const end = indptr[r + 1];
    for (let p = indptr[r]; p < end; p++) {
      const entry = tables[((context + columnGroup[indices[p]]) << SCALE_BITS) | ((now & MASK) >> 1)];
      const frequency = (entry & 0xfff) + 1;
      const offset = (now & MASK) - ((entry >>> 11) & 0x1ffe);
      const negative = (frequency - 1 - offset) >> 31;
      data[p] = ((entry >>> 24) ^ negative) - negative;
      let next = (Math.imul(frequency, now >>> VALUE_BITS) + offset - (frequency & negative)) | 0;
      if (next < STATE_MIN) next = (next << 16) | words[at++];
      now = then;
      then = next;
    }
  }
  checkEnd(words, at, now);
  checkEnd(words, at, then);
}
