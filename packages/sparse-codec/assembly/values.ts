import { COLUMN_GROUP, DATA, INDICES, INDPTR, ROW_GROUP, VALUE_TABLES } from '../src/loops/layout';
import { isState, LEAST_STATE, refilled, stateAt } from './rans';

const VALUE_BITS: u32 = 13;
const MASK: u32 = 8191;
/** Values between two looks at the end of the words. */
const STRETCH: u32 = 4096;

/** Where the state lies in its symbol's range, whose entry of the table is given. */
@inline
function offsetOf(state: u32, entry: u32): u32 {
  return (state & MASK) - ((entry >> 11) & 0x1ffe);
}

/** -1 in the upper half of the range, which is that of negative values. */
@inline
function signOf(entry: u32, offset: u32): i32 {
  return (<i32>(entry & 0xfff) - <i32>offset) >> 31;
}

@inline
function valueOf(entry: u32, sign: i32): i8 {
  return <i8>((<i32>(entry >> 24) ^ sign) - sign);
}

@inline
function nextState(state: u32, entry: u32, offset: u32, sign: i32): u32 {
  const frequency = (entry & 0xfff) + 1;
  return frequency * (state >> VALUE_BITS) + offset - (frequency & <u32>sign);
}

/**
 * Values `from .. to` in one context, of the words `p .. stop` (src/value-coder.ts: `decodeValues`). Gives 0, and 1 for
 * damaged bytes.
 */
export function decodeValues(from: u32, to: u32, p: u32, stop: u32): i32 {
  let even = stateAt(p);
  let odd = stateAt(p + 4);
  if (!isState(even) || !isState(odd)) return 1;
  p += 8;
  let i = from;
  while (i + 1 < to) {
    const end = min(to - 1, i + STRETCH);
    for (; i < end; i += 2) {
      const one = load<u32>((even & MASK & ~1) << 1, VALUE_TABLES);
      const two = load<u32>((odd & MASK & ~1) << 1, VALUE_TABLES);
      const offset1 = offsetOf(even, one);
      const offset2 = offsetOf(odd, two);
      const sign1 = signOf(one, offset1);
      const sign2 = signOf(two, offset2);
      store<i8>(i, valueOf(one, sign1), DATA);
      store<i8>(i, valueOf(two, sign2), DATA + 1);
      even = nextState(even, one, offset1, sign1);
      const needs1 = even < LEAST_STATE;
      even = refilled(even, needs1, p);
      p += <u32>needs1 << 1;
      odd = nextState(odd, two, offset2, sign2);
      const needs2 = odd < LEAST_STATE;
      odd = refilled(odd, needs2, p);
      p += <u32>needs2 << 1;
    }
    if (p > stop) return 1;
  }
  if (i < to) {
    const one = load<u32>((even & MASK & ~1) << 1, VALUE_TABLES);
    const offset = offsetOf(even, one);
    const sign = signOf(one, offset);
    store<i8>(i, valueOf(one, sign), DATA);
    even = nextState(even, one, offset, sign);
    const needs = even < LEAST_STATE;
    even = refilled(even, needs, p);
    p += <u32>needs << 1;
  }
  return i32(p !== stop || even !== LEAST_STATE || odd !== LEAST_STATE);
}

/**
 * Values of the rows `from .. to`, whose columns are there, in contexts (src/value-coder.ts: `decodeContextValues`).
 */
export function decodeContextValues(from: u32, to: u32, groups: u32, p: u32, stop: u32): i32 {
  // The state whose turn it is, and the other.
  let now = stateAt(p);
  let then = stateAt(p + 4);
  if (!isState(now) || !isState(then)) return 1;
  p += 8;
  for (let row = from; row < to; row++) {
    const tables = VALUE_TABLES + ((<u32>load<u8>(row, ROW_GROUP) * groups) << 14);
    const end = load<u32>(row << 2, INDPTR + 4);
    for (let i = load<u32>(row << 2, INDPTR); i < end; i++) {
      const group = <u32>load<u8>(<u32>load<u16>(i << 1, INDICES), COLUMN_GROUP);
      const entry = load<u32>(tables + (group << 14) + ((now & MASK & ~1) << 1));
      const offset = offsetOf(now, entry);
      const sign = signOf(entry, offset);
      store<i8>(i, valueOf(entry, sign), DATA);
      const next = nextState(now, entry, offset, sign);
      const needs = next < LEAST_STATE;
      now = then;
      then = refilled(next, needs, p);
      p += <u32>needs << 1;
    }
    if (p > stop) return 1;
  }
  return i32(p !== stop || now !== LEAST_STATE || then !== LEAST_STATE);
}
