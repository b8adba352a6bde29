import { RANGE, scratch } from './memory';

// A range is kept as float bits: as int32 the largest value wins against 0 and every negative, as uint32 the smallest against -0 and every
// positive. An infinity or a NaN, of either sign, is larger than any number in one of the two: nothing that is not finite slips through,
// and it costs two instructions a vector, where f32x4.min and max cost eight each.

/** The bits of -0: no value below 0 so far. */
export const NONE_BELOW: i32 = <i32>0x80000000;

export function resetRange(): void {
  v128.store(scratch, i32x4.splat(0), RANGE);
  v128.store(scratch, i32x4.splat(NONE_BELOW), RANGE + 16);
}

@inline export function rangeHigh(): v128 { return v128.load(scratch, RANGE); }
@inline export function rangeLow(): v128 { return v128.load(scratch, RANGE + 16); }
@inline export function setRange(high: v128, low: v128): void {
  v128.store(scratch, high, RANGE);
  v128.store(scratch, low, RANGE + 16);
}

/** Whether a range, of one thread, is of numbers alone. */
export function isFinite(slot: i32): bool {
  return load<i32>(slot) < 0x7f800000 && load<u32>(slot, 4) < 0xff800000;
}

/** The four lanes of the thread's range into `slot`: int32 bits of the largest, uint32 bits of the smallest. */
export function publishRange(slot: i32): void {
  let high: i32 = 0;
  let low: u32 = <u32>NONE_BELOW;
  for (let lane = 0; lane < 4; lane++) {
    high = max(high, load<i32>(scratch + (lane << 2), RANGE));
    low = max(low, load<u32>(scratch + (lane << 2), RANGE + 16));
  }
  store<i32>(slot, high);
  store<u32>(slot, low, 4);
}
