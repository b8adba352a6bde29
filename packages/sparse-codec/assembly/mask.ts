import {
  COLUMN_AT,
  GAP_AT,
  GAP_REACH,
  GAPS_BELOW,
  INDICES,
  INDPTR,
  MASK_LANE_BYTES,
  MASK_LANES,
  ROW_CLASS,
  SLOT_OF,
} from '../src/loops/layout';
import { isState, LEAST_STATE, refilled, stateAt } from './rans';

const SCALE_BITS: u32 = 12;
const SCALE: u32 = 4096;
/** Bytes of a class in the tables of gaps. */
const BELOW_BYTES: u32 = 2 * 1536;
const GAP_BYTES: u32 = 2 * SCALE;

@inline
function laneField(lane: u32, field: u32): u32 {
  return load<u32>(MASK_LANES + lane * MASK_LANE_BYTES + 4 * field);
}

@inline
function below(table: u32, gap: i32): u32 {
  return load<u16>(table + (<u32>gap << 1));
}

/** The first row from `row` on that is not empty; the empty ones before it get their pointers. */
function skipEmpty(row: u32, end: u32, nonzero: u32): u32 {
  for (; row < end && load<u8>(row, ROW_CLASS) === 0; row++) store<u32>(row << 2, nonzero, INDPTR + 4);
  return row;
}

@inline
function nextRow(row: u32, end: u32, nonzero: u32): u32 {
  store<u32>(row << 2, nonzero, INDPTR + 4);
  return skipEmpty(row + 1, end, nonzero);
}

/**
 * Decodes the masks of two blocks (src/mask-decoder.ts: `decodeLanePair`). Gives 0, and 1 for damaged bytes. A block
 * without rows, whose words are a state and no more, stands for a second one that there is not.
 */
export function decodeMasks(slots: i32): i32 {
  const end1 = laneField(0, 1);
  const end2 = laneField(1, 1);
  const full1 = laneField(0, 3);
  const full2 = laneField(1, 3);
  const stop1 = laneField(0, 6);
  const stop2 = laneField(1, 6);
  let n1 = laneField(0, 2);
  let n2 = laneField(1, 2);
  let escapes1 = laneField(0, 4);
  let escapes2 = laneField(1, 4);
  let p1 = laneField(0, 5);
  let p2 = laneField(1, 5);
  let row1 = skipEmpty(laneField(0, 0), end1, n1);
  let row2 = skipEmpty(laneField(1, 0), end2, n2);
  let s1 = stateAt(p1);
  let s2 = stateAt(p2);
  if (!isState(s1) || !isState(s2)) return 1;
  p1 += 4;
  p2 += 4;
  let base1 = 0;
  let base2 = 0;
  if (slots > 0 && row1 < end1 && row2 < end2) {
    let k1: u32 = load<u8>(row1, ROW_CLASS) - 1;
    let k2: u32 = load<u8>(row2, ROW_CLASS) - 1;
    let table1 = GAPS_BELOW + k1 * BELOW_BYTES;
    let table2 = GAPS_BELOW + k2 * BELOW_BYTES;
    let gaps1 = GAP_AT + k1 * GAP_BYTES;
    let gaps2 = GAP_AT + k2 * GAP_BYTES;
    let reach1 = load<i32>(k1 << 2, GAP_REACH);
    let reach2 = load<i32>(k2 << 2, GAP_REACH);
    for (;;) {
      const position1 = s1 & (SCALE - 1);
      const position2 = s2 & (SCALE - 1);
      const gap1: i32 = load<u16>(gaps1 + (position1 << 1));
      const gap2: i32 = load<u16>(gaps2 + (position2 << 1));
      let done1 = false;
      let done2 = false;
      const slot1 = base1 + gap1;
      if (slot1 < slots) {
        if (gap1 !== reach1) {
          const column: u32 = load<u16>(<u32>slot1 << 1, COLUMN_AT);
          const first = load<i32>(column << 2, SLOT_OF);
          const next = load<i32>(column << 2, SLOT_OF + 4);
          const low = below(table1, max(first - base1, 0));
          const high = below(table1, min(next - base1, reach1));
          s1 = (high - low) * (s1 >> SCALE_BITS) + position1 - low;
          if (n1 >= full1) return 1;
          store<u16>(n1 << 1, <u16>column, INDICES);
          n1++;
          base1 = next;
          done1 = next >= slots;
        } else {
          const low = below(table1, reach1);
          s1 = (SCALE - low) * (s1 >> SCALE_BITS) + position1 - low;
          base1 += reach1;
          if (escapes1 === 0) return 1;
          escapes1--;
        }
      } else {
        const low = below(table1, slots - base1);
        s1 = (SCALE - low) * (s1 >> SCALE_BITS) + position1 - low;
        done1 = true;
      }
      const needs1 = s1 < LEAST_STATE;
      s1 = refilled(s1, needs1, p1);
      p1 += <u32>needs1 << 1;
      const slot2 = base2 + gap2;
      if (slot2 < slots) {
        if (gap2 !== reach2) {
          const column: u32 = load<u16>(<u32>slot2 << 1, COLUMN_AT);
          const first = load<i32>(column << 2, SLOT_OF);
          const next = load<i32>(column << 2, SLOT_OF + 4);
          const low = below(table2, max(first - base2, 0));
          const high = below(table2, min(next - base2, reach2));
          s2 = (high - low) * (s2 >> SCALE_BITS) + position2 - low;
          if (n2 >= full2) return 1;
          store<u16>(n2 << 1, <u16>column, INDICES);
          n2++;
          base2 = next;
          done2 = next >= slots;
        } else {
          const low = below(table2, reach2);
          s2 = (SCALE - low) * (s2 >> SCALE_BITS) + position2 - low;
          base2 += reach2;
          if (escapes2 === 0) return 1;
          escapes2--;
        }
      } else {
        const low = below(table2, slots - base2);
        s2 = (SCALE - low) * (s2 >> SCALE_BITS) + position2 - low;
        done2 = true;
      }
      const needs2 = s2 < LEAST_STATE;
      s2 = refilled(s2, needs2, p2);
      p2 += <u32>needs2 << 1;
      if (done1) {
        if (p1 > stop1) return 1;
        base1 = 0;
        row1 = nextRow(row1, end1, n1);
        if (row1 < end1) {
          k1 = load<u8>(row1, ROW_CLASS) - 1;
          table1 = GAPS_BELOW + k1 * BELOW_BYTES;
          gaps1 = GAP_AT + k1 * GAP_BYTES;
          reach1 = load<i32>(k1 << 2, GAP_REACH);
        }
      }
      if (done2) {
        if (p2 > stop2) return 1;
        base2 = 0;
        row2 = nextRow(row2, end2, n2);
        if (row2 < end2) {
          k2 = load<u8>(row2, ROW_CLASS) - 1;
          table2 = GAPS_BELOW + k2 * BELOW_BYTES;
          gaps2 = GAP_AT + k2 * GAP_BYTES;
          reach2 = load<i32>(k2 << 2, GAP_REACH);
        }
      }
      if (row1 === end1 || row2 === end2) break;
    }
  }
  return (
    restOfMask(slots, row1, end1, n1, full1, escapes1, s1, p1, stop1, base1) |
    restOfMask(slots, row2, end2, n2, full2, escapes2, s2, p2, stop2, base2)
  );
}

/** Decodes what is left of a block; 1 unless it ends where its words do. */
function restOfMask(
  slots: i32,
  row: u32,
  end: u32,
  n: u32,
  full: u32,
  escapes: u32,
  s: u32,
  p: u32,
  stop: u32,
  base: i32,
): i32 {
  while (row < end) {
    const k: u32 = load<u8>(row, ROW_CLASS) - 1;
    const table = GAPS_BELOW + k * BELOW_BYTES;
    const gaps = GAP_AT + k * GAP_BYTES;
    const reach = load<i32>(k << 2, GAP_REACH);
    while (base < slots) {
      const position = s & (SCALE - 1);
      const gap: i32 = load<u16>(gaps + (position << 1));
      const slot = base + gap;
      let low: u32;
      let high = SCALE;
      if (slot >= slots) {
        low = below(table, slots - base);
        base = slots;
      } else if (gap === reach) {
        low = below(table, reach);
        base += reach;
        if (escapes === 0) return 1;
        escapes--;
      } else {
        const column: u32 = load<u16>(<u32>slot << 1, COLUMN_AT);
        const next = load<i32>(column << 2, SLOT_OF + 4);
        low = below(table, max(load<i32>(column << 2, SLOT_OF) - base, 0));
        high = below(table, min(next - base, reach));
        if (n >= full) return 1;
        store<u16>(n << 1, <u16>column, INDICES);
        n++;
        base = next;
      }
      s = (high - low) * (s >> SCALE_BITS) + position - low;
      const needs = s < LEAST_STATE;
      s = refilled(s, needs, p);
      p += <u32>needs << 1;
    }
    if (p > stop) return 1;
    base = 0;
    row = nextRow(row, end, n);
  }
  return i32(n !== full || p !== stop || s !== LEAST_STATE);
}

/** Writes the column of each slot. */
export function fillColumns(columns: u32): void {
  let slot: u32 = 0;
  for (let column: u32 = 0; column < columns; column++) {
    for (const next = load<u32>(column << 2, SLOT_OF + 4); slot < next; slot++) {
      store<u16>(slot << 1, <u16>column, COLUMN_AT);
    }
  }
}
