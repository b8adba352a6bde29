import {
  LANE_AT,
  LANE_STATE,
  LANE_TABLE,
  MEANS,
  JOINED,
  ROW_OUT_BYTES,
  ROWS_OUT,
  TABLE_SLOTS,
  TABLE_SYMBOLS,
  VALUES,
  WORDS,
} from '../src/loops/layout';
import { LEAST_STATE, refilled } from './rans';

const SLOT_BITS: u32 = 12;
const SLOT: u32 = 4095;
/** From one lane's row to the next. */
const OUT_BYTES: usize = ROW_OUT_BYTES;

/**
 * Writes the next `width` symbols of four lanes, each by its table, `start` bytes into the place of each lane; or
 * `asFloats`, with a start of 0, the value of each symbol plus its column's mean. The TypeScript is `Lanes.fieldOfFour`
 * and `Lanes.floatsOfFour` (src/rows/lanes.ts).
 *
 * A state's refill is a conditional move: which symbol needs a word is a coin toss to a processor. Symbols and means
 * are multiples of 4, and lanes write to places at constant distances: both save a fifth of the time. 2, 3, 6 and 8
 * lanes, slots of 6 or 8 bytes that have the symbol too, and smaller tables with one more load took as long or longer.
 */
export function decodeFourLanes(width: u32, asFloats: bool, start: u32): void {
  let s0 = load<u32>(LANE_STATE);
  let s1 = load<u32>(LANE_STATE, 4);
  let s2 = load<u32>(LANE_STATE, 8);
  let s3 = load<u32>(LANE_STATE, 12);
  let p0 = WORDS + (load<u32>(LANE_AT) << 1);
  let p1 = WORDS + (load<u32>(LANE_AT, 4) << 1);
  let p2 = WORDS + (load<u32>(LANE_AT, 8) << 1);
  let p3 = WORDS + (load<u32>(LANE_AT, 12) << 1);
  const t0 = load<u32>(LANE_TABLE);
  const t1 = load<u32>(LANE_TABLE, 4);
  const t2 = load<u32>(LANE_TABLE, 8);
  const t3 = load<u32>(LANE_TABLE, 12);
  const step: u32 = asFloats ? 4 : 2;
  const end = start + width * step;
  for (let o = start; o < end; o += step) {
    const k0 = t0 + (s0 & SLOT);
    const k1 = t1 + (s1 & SLOT);
    const k2 = t2 + (s2 & SLOT);
    const k3 = t3 + (s3 & SLOT);
    const e0 = load<u32>(k0 << 2, TABLE_SLOTS);
    const e1 = load<u32>(k1 << 2, TABLE_SLOTS);
    const e2 = load<u32>(k2 << 2, TABLE_SLOTS);
    const e3 = load<u32>(k3 << 2, TABLE_SLOTS);
    const y0 = <u32>load<u16>(k0 << 1, TABLE_SYMBOLS);
    const y1 = <u32>load<u16>(k1 << 1, TABLE_SYMBOLS);
    const y2 = <u32>load<u16>(k2 << 1, TABLE_SYMBOLS);
    const y3 = <u32>load<u16>(k3 << 1, TABLE_SYMBOLS);
    if (asFloats) {
      const m = load<u32>(o, MEANS);
      store<u32>(o, load<u32>(y0 + m, VALUES), ROWS_OUT);
      store<u32>(o, load<u32>(y1 + m, VALUES), ROWS_OUT + OUT_BYTES);
      store<u32>(o, load<u32>(y2 + m, VALUES), ROWS_OUT + 2 * OUT_BYTES);
      store<u32>(o, load<u32>(y3 + m, VALUES), ROWS_OUT + 3 * OUT_BYTES);
    } else {
      store<u16>(o, <u16>(y0 >> 2), ROWS_OUT);
      store<u16>(o, <u16>(y1 >> 2), ROWS_OUT + OUT_BYTES);
      store<u16>(o, <u16>(y2 >> 2), ROWS_OUT + 2 * OUT_BYTES);
      store<u16>(o, <u16>(y3 >> 2), ROWS_OUT + 3 * OUT_BYTES);
    }
    s0 = (e0 >> SLOT_BITS) * (s0 >> SLOT_BITS) + (e0 & SLOT);
    s1 = (e1 >> SLOT_BITS) * (s1 >> SLOT_BITS) + (e1 & SLOT);
    s2 = (e2 >> SLOT_BITS) * (s2 >> SLOT_BITS) + (e2 & SLOT);
    s3 = (e3 >> SLOT_BITS) * (s3 >> SLOT_BITS) + (e3 & SLOT);
    const n0 = s0 < LEAST_STATE;
    const n1 = s1 < LEAST_STATE;
    const n2 = s2 < LEAST_STATE;
    const n3 = s3 < LEAST_STATE;
    s0 = refilled(s0, n0, p0);
    s1 = refilled(s1, n1, p1);
    s2 = refilled(s2, n2, p2);
    s3 = refilled(s3, n3, p3);
    p0 += <u32>n0 << 1;
    p1 += <u32>n1 << 1;
    p2 += <u32>n2 << 1;
    p3 += <u32>n3 << 1;
  }
  store<u32>(LANE_STATE, s0);
  store<u32>(LANE_STATE, s1, 4);
  store<u32>(LANE_STATE, s2, 8);
  store<u32>(LANE_STATE, s3, 12);
  store<u32>(LANE_AT, (p0 - WORDS) >> 1);
  store<u32>(LANE_AT, (p1 - WORDS) >> 1, 4);
  store<u32>(LANE_AT, (p2 - WORDS) >> 1, 8);
  store<u32>(LANE_AT, (p3 - WORDS) >> 1, 12);
}

/**
 * Writes the bits of `width` floats from their planes of bytes, which start at `a` to `d` and have a byte every so many
 * bytes. The TypeScript is `joinFour` (src/rows/planes-form.ts).
 */
export function joinFour(
  width: u32,
  a: u32,
  ofA: u32,
  b: u32,
  ofB: u32,
  c: u32,
  ofC: u32,
  d: u32,
  ofD: u32,
): void {
  for (let o: u32 = 0; o < width << 2; o += 4) {
    const rotated = (<u32>load<u8>(a) << 24) | (<u32>load<u8>(b) << 16) | (<u32>load<u8>(c) << 8) | <u32>load<u8>(d);
    store<u32>(o, rotr(rotated, 1), JOINED);
    a += ofA;
    b += ofB;
    c += ofC;
    d += ofD;
  }
}
