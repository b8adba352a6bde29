import { corrupt } from './corrupt.js';
import { type GapTables, SCALE, SCALE_BITS, STRIDE } from './gap-tables.js';
import type { MaskShape } from './mask-encoder.js';
import { STATE_MIN } from './rans-encoder.js';

/**
 * One block of rows being decoded. Two lanes are decoded in step: a lane's symbols hang on each other, and a processor
 * has room for a second chain (measured: RESULTS.md, "Speed").
 */
export interface MaskLane {
  readonly words: Uint16Array;
  /** Next word. */
  at: number;
  state: number;
  row: number;
  readonly end: number;
  /** Slots of the row that are done with. */
  base: number;
  /** Next nonzero, and where the block's nonzeros end. */
  nonzero: number;
  readonly nonzeroEnd: number;
  /** Escapes that may still come: keeps the time in proportion to nonzeros and rows. */
  escapes: number;
}

/** What decoding writes: `indptr[row + 1]` is set for every row of the lane, `indices` for every nonzero. */
export interface MaskTarget {
  readonly indptr: Int32Array;
  readonly indices: Uint16Array;
}

/** `columnAt[slot]` for every slot. */
export type ColumnAtSlot = Uint16Array;

/** The column of each slot. */
export function columnAtSlots(slotOf: Int32Array): ColumnAtSlot {
  const columns = slotOf.length - 1;
  const columnAt = new Uint16Array(slotOf[columns]);
  for (let c = 0, slot = 0; c < columns; c++) {
    // Six slots a column: a loop is faster than a call of fill.
    for (const next = slotOf[c + 1]; slot < next; slot++) columnAt[slot] = c;
  }
  return columnAt;
}

/** A lane at its start. `block`: its bytes; rows `row .. end`, nonzeros `nonzero .. nonzeroEnd`. */
export function openLane(
  block: Uint8Array,
  slots: number,
  row: number,
  end: number,
  nonzero: number,
  nonzeroEnd: number,
): MaskLane {
  const words = wordsOf(block, 1);
  return {
    words,
    at: 2,
    state: stateAt(words, 0),
    row,
    end,
    base: 0,
    nonzero,
    nonzeroEnd,
    escapes: escapesOf(end - row, nonzeroEnd - nonzero, slots),
  };
}

/** The escapes that a block may have. */
export function escapesOf(rows: number, nonzeros: number, slots: number): number {
  return 2 * nonzeros + rows * (Math.floor(slots / 1024) + 4);
}

/**
 * A block's words, copied: an aligned view of its own, checked to hold at least its states. A word of 0 follows them,
 * so that a decoder may read the next word before it knows whether it needs one.
 */
export function wordsOf(block: Uint8Array, states: number): Uint16Array {
  if (block.length % 2 !== 0 || block.length < 4 * states) {
    throw corrupt('block has no room for its states', block.length, `an even number, at least ${4 * states}`);
  }
  const words = new Uint16Array(block.length / 2 + 1);
  new Uint8Array(words.buffer).set(block);
  return words;
}

/** A starting state, checked to be in its range. */
export function stateAt(words: Uint16Array, at: number): number {
  const state = (words[at] << 16) | words[at + 1];
  if (state < STATE_MIN) throw corrupt('coder starts outside its range', state, `at least ${STATE_MIN}`);
  return state;
}

/** Decodes two lanes until one of them is done; the other is finished by {@link decodeLane}. */
export function decodeLanePair(
  tables: GapTables,
  shape: MaskShape,
  columnAt: ColumnAtSlot,
  one: MaskLane,
  two: MaskLane,
  target: MaskTarget,
): void {
  const { below, gapAt, reach } = tables;
  const { slotOf, rowClass } = shape;
  const { indptr, indices } = target;
  const slots = slotOf[slotOf.length - 1];
  one.row = skipEmpty(one, rowClass, indptr);
  two.row = skipEmpty(two, rowClass, indptr);
  if (slots > 0 && one.row < one.end && two.row < two.end) {
    const { words: words1, nonzeroEnd: end1 } = one;
    const { words: words2, nonzeroEnd: end2 } = two;
    let { at: at1, state: state1, base: base1, nonzero: n1 } = one;
    let { at: at2, state: state2, base: base2, nonzero: n2 } = two;
    let k1 = rowClass[one.row] - 1;
    let k2 = rowClass[two.row] - 1;
    let table1 = k1 * STRIDE;
    let table2 = k2 * STRIDE;
    let gaps1 = k1 * SCALE;
    let gaps2 = k2 * SCALE;
    let reach1 = reach[k1];
    let reach2 = reach[k2];
    for (;;) {
      const position1 = state1 & (SCALE - 1);
      const position2 = state2 & (SCALE - 1);
      const gap1 = gapAt[gaps1 + position1];
      const gap2 = gapAt[gaps2 + position2];
      let done1 = false;
      let done2 = false;
      const slot1 = (base1 + gap1) | 0;
      if (slot1 < slots) {
        if (gap1 !== reach1) {
          const column = columnAt[slot1];
          const first = (slotOf[column] - base1) | 0;
          const next = slotOf[column + 1];
          const last = (next - base1) | 0;
          const low = below[table1 + Math.max(first, 0)];
          const high = below[table1 + Math.min(last, reach1)];
          state1 = (Math.imul(high - low, state1 >>> SCALE_BITS) + position1 - low) | 0;
          if (n1 >= end1) throw tooMany(one);
          indices[n1] = column;
          n1 = (n1 + 1) | 0;
          base1 = next;
          done1 = next >= slots;
        } else {
          const low = below[table1 + reach1];
          state1 = (Math.imul(SCALE - low, state1 >>> SCALE_BITS) + position1 - low) | 0;
          base1 = (base1 + reach1) | 0;
          countEscape(one);
        }
      } else {
        const low = below[table1 + slots - base1];
        state1 = (Math.imul(SCALE - low, state1 >>> SCALE_BITS) + position1 - low) | 0;
        done1 = true;
      }
      if (state1 < STATE_MIN) state1 = (state1 << 16) | words1[at1++];
      const slot2 = (base2 + gap2) | 0;
      if (slot2 < slots) {
        if (gap2 !== reach2) {
          const column = columnAt[slot2];
          const first = (slotOf[column] - base2) | 0;
          const next = slotOf[column + 1];
          const last = (next - base2) | 0;
          const low = below[table2 + Math.max(first, 0)];
          const high = below[table2 + Math.min(last, reach2)];
          state2 = (Math.imul(high - low, state2 >>> SCALE_BITS) + position2 - low) | 0;
          if (n2 >= end2) throw tooMany(two);
          indices[n2] = column;
          n2 = (n2 + 1) | 0;
          base2 = next;
          done2 = next >= slots;
        } else {
          const low = below[table2 + reach2];
          state2 = (Math.imul(SCALE - low, state2 >>> SCALE_BITS) + position2 - low) | 0;
          base2 = (base2 + reach2) | 0;
          countEscape(two);
        }
      } else {
        const low = below[table2 + slots - base2];
        state2 = (Math.imul(SCALE - low, state2 >>> SCALE_BITS) + position2 - low) | 0;
        done2 = true;
      }
      if (state2 < STATE_MIN) state2 = (state2 << 16) | words2[at2++];
      if (done1) {
        one.nonzero = n1;
        base1 = 0;
        nextRow(one, rowClass, indptr);
        if (one.row < one.end) {
          k1 = rowClass[one.row] - 1;
          table1 = k1 * STRIDE;
          gaps1 = k1 * SCALE;
          reach1 = reach[k1];
        }
      }
      if (done2) {
        two.nonzero = n2;
        base2 = 0;
        nextRow(two, rowClass, indptr);
        if (two.row < two.end) {
          k2 = rowClass[two.row] - 1;
          table2 = k2 * STRIDE;
          gaps2 = k2 * SCALE;
          reach2 = reach[k2];
        }
      }
      if ((done1 && one.row === one.end) || (done2 && two.row === two.end)) break;
    }
    one.at = at1;
    one.state = state1;
    one.base = base1;
    one.nonzero = n1;
    two.at = at2;
    two.state = state2;
    two.base = base2;
    two.nonzero = n2;
  }
  decodeLane(tables, shape, columnAt, one, target);
  decodeLane(tables, shape, columnAt, two, target);
}

/** Decodes what is left of a lane and checks that it ends where its bytes do. */
export function decodeLane(
  tables: GapTables,
  shape: MaskShape,
  columnAt: ColumnAtSlot,
  lane: MaskLane,
  target: MaskTarget,
): void {
  const { below, gapAt, reach } = tables;
  const { slotOf, rowClass } = shape;
  const { indptr, indices } = target;
  const slots = slotOf[slotOf.length - 1];
  const { words, nonzeroEnd } = lane;
  let { at, state, base, nonzero } = lane;
  lane.row = skipEmpty(lane, rowClass, indptr);
  while (lane.row < lane.end) {
    const k = rowClass[lane.row] - 1;
    const table = k * STRIDE;
    const gaps = k * SCALE;
    const sight = reach[k];
    while (base < slots) {
      const position = state & (SCALE - 1);
      const gap = gapAt[gaps + position];
      const slot = (base + gap) | 0;
      let low: number;
      let high = SCALE;
      if (slot >= slots) {
        low = below[table + slots - base];
        base = slots;
      } else if (gap === sight) {
        low = below[table + sight];
        base = (base + sight) | 0;
        countEscape(lane);
      } else {
        const column = columnAt[slot];
        const first = (slotOf[column] - base) | 0;
        const next = slotOf[column + 1];
        const last = (next - base) | 0;
        low = below[table + Math.max(first, 0)];
        high = below[table + Math.min(last, sight)];
        if (nonzero >= nonzeroEnd) throw tooMany(lane);
        indices[nonzero] = column;
        nonzero = (nonzero + 1) | 0;
        base = next;
      }
      state = (Math.imul(high - low, state >>> SCALE_BITS) + position - low) | 0;
      if (state < STATE_MIN) state = (state << 16) | words[at++];
    }
    base = 0;
    lane.nonzero = nonzero;
    nextRow(lane, rowClass, indptr);
  }
  if (nonzero !== lane.nonzeroEnd) throw corrupt('block has too few nonzeros', nonzero, lane.nonzeroEnd);
  checkEnd(words, at, state);
}

/** `words` of {@link wordsOf}. The encoder began at the smallest state with no words: a decoder must arrive there. */
export function checkEnd(words: Uint16Array, at: number, state: number): void {
  const end = words.length - 1;
  if (at !== end) throw corrupt('block does not end with its words', at, end);
  if (state !== STATE_MIN) throw corrupt('coder does not end where it began', state, STATE_MIN);
}

function nextRow(lane: MaskLane, rowClass: Uint8Array, indptr: Int32Array): void {
  indptr[lane.row + 1] = lane.nonzero;
  lane.row++;
  lane.row = skipEmpty(lane, rowClass, indptr);
}

function skipEmpty(lane: MaskLane, rowClass: Uint8Array, indptr: Int32Array): number {
  let row = lane.row;
  for (; row < lane.end && rowClass[row] === 0; row++) indptr[row + 1] = lane.nonzero;
  return row;
}

function countEscape(lane: MaskLane): void {
  if (--lane.escapes < 0) throw corrupt('block skips more than its rows can hold', 'too many escapes');
}

function tooMany(lane: MaskLane) {
  return corrupt('block has too many nonzeros', `more than ${lane.nonzeroEnd}`, lane.nonzeroEnd);
}
