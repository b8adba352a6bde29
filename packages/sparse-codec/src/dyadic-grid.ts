import { inBlocks, type Pacer } from '@prune/core';

/** Numbers that all are whole multiples of 2^-bits, as those whole numbers less the smallest. */
export interface DyadicGrid {
  readonly bits: number;
  /** The smallest multiple. */
  readonly origin: number;
  /** Symbols: one more than the largest multiple less the smallest, and one for -0 after them where it occurs. */
  readonly alphabet: number;
  readonly negativeZero: boolean;
}

/** Finest grid that is looked for: a float16 below 1 has no bits past 2^-24, and a table on a grid was put there on purpose. */
export const MAX_GRID_BITS = 24;

/** The coarsest grid that all values are on exactly of at most `maxAlphabet` symbols. */
export async function dyadicGrid(
  values: Float32Array,
  maxAlphabet: number,
  pacer: Pacer,
): Promise<DyadicGrid | undefined> {
  const seen: Seen = { bits: 0, min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY, negativeZero: false };
  let onGrid = true;
  await inBlocks(values.length, pacer, (from, to) => {
    onGrid &&= see(values, maxAlphabet, seen, from, to);
  });
  const { bits, min, max, negativeZero } = seen;
  const scale = 2 ** bits;
  // An origin past 2^38 is a table of huge equal numbers, which bytes code as well.
  if (!onGrid || values.length === 0 || Math.abs(min * scale) > 2 ** 38) return undefined;
  const alphabet = (max - min) * scale + (negativeZero ? 2 : 1);
  return { bits, origin: min * scale + 0, alphabet, negativeZero };
}

/** What the values so far ask of a grid. */
interface Seen {
  bits: number;
  min: number;
  max: number;
  negativeZero: boolean;
}

/** Adds the values `from .. to` to what was seen; false when no grid has them all. */
function see(values: Float32Array, maxAlphabet: number, seen: Seen, from: number, to: number): boolean {
  let { bits, min, max, negativeZero } = seen;
  let scale = 2 ** bits;
  for (let i = from; i < to; i++) {
    const value = values[i];
    if (value < min) min = value;
    if (value > max) max = value;
    if (Object.is(value, -0)) negativeZero = true;
    // NaN and infinity fail here too: neither equals its own floor plus nothing.
    while (!(Math.floor(value * scale) - value * scale === 0)) {
      if (bits === MAX_GRID_BITS) return false;
      bits++;
      scale *= 2;
    }
    if ((max - min) * scale >= maxAlphabet - 1) return false;
  }
  Object.assign(seen, { bits, min, max, negativeZero });
  return true;
}
