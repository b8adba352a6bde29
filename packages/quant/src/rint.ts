/** 1.5 * 2^52: a float64 this large has a unit in the last place of 1, so adding it rounds to an integer, ties to even. */
const MAGIC = 6755399441055744;

/** C's `rint` in the default rounding mode: the nearest integer, ties to even, for |value| < 2^51. Never -0. */
export function rint(value: number): number {
  return value + MAGIC - MAGIC;
}
