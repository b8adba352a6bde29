import {
  publishedRangeHigh, publishedRangeLow, PUBLISHED_RANGE_HIGH, PUBLISHED_RANGE_LOW, RUNNING_RANGE_HIGH, RUNNING_RANGE_LOW, SCRATCH_RANGE,
} from './generated/layout';
import { scratch } from './memory';

// A range is kept as float bits: as int32 the largest value wins against 0 and every negative, as uint32 the smallest against -0 and every
// positive. An infinity or a NaN, of either sign, is larger than any number in one of the two: nothing that is not finite slips through,
// and it costs two instructions a vector, where f32x4.min and max cost eight each.

/** The bits of -0: no value below 0 so far. */
export const NONE_BELOW: i32 = <i32>0x80000000;
/** The bits of the infinities; those of a NaN of the same sign are larger. */
export const INFINITY_BITS: i32 = 0x7f800000;
export const MINUS_INFINITY_BITS: u32 = 0xff800000;

const HIGH: i32 = SCRATCH_RANGE + RUNNING_RANGE_HIGH;
const LOW: i32 = SCRATCH_RANGE + RUNNING_RANGE_LOW;

export function resetRange(): void {
  const none = i32x4.splat(NONE_BELOW);
  setRange(i32x4.splat(0), i32x4.splat(0), none, none);
}

// Two vectors for each end.
@inline export function rangeHigh(half: i32): v128 { return v128.load(scratch + (half << 4), HIGH); }
@inline export function rangeLow(half: i32): v128 { return v128.load(scratch + (half << 4), LOW); }
@inline export function setRange(high0: v128, high1: v128, low0: v128, low1: v128): void {
  const to = scratch;
  v128.store(to, low1, LOW + 16);
  v128.store(to, low0, LOW);
  v128.store(to, high1, HIGH + 16);
  v128.store(to, high0, HIGH);
}

/** Whether a range, of one thread, is of numbers alone. */
export function isFinite(slot: i32): bool {
  return publishedRangeHigh(slot) < INFINITY_BITS && publishedRangeLow(slot) < MINUS_INFINITY_BITS;
}

/** The lanes of the thread's range into `slot`: int32 bits of the largest, uint32 bits of the smallest. */
export function publishRange(slot: i32): void {
  let high: i32 = 0;
  let low: u32 = <u32>NONE_BELOW;
  for (let lane = 0; lane < 8; lane++) {
    high = max(high, load<i32>(scratch + (lane << 2), HIGH));
    low = max(low, load<u32>(scratch + (lane << 2), LOW));
  }
  store<i32>(slot, high, PUBLISHED_RANGE_HIGH);
  store<u32>(slot, low, PUBLISHED_RANGE_LOW);
}
