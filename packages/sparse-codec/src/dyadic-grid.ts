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
export function dyadicGrid(values: Float32Array, maxAlphabet: number): DyadicGrid | undefined {
  let bits = 0;
  let scale = 1;
  let min = Number.POSITIVE_INFINITY;
  let negativeZero = false;
  let max = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value < min) min = value;
    if (value > max) max = value;
    if (Object.is(value, -0)) negativeZero = true;
    // NaN and infinity fail here too: neither equals its own floor plus nothing.
    while (!(Math.floor(value * scale) - value * scale === 0)) {
      if (bits === MAX_GRID_BITS) return undefined;
      bits++;
      scale *= 2;
    }
    if ((max - min) * scale >= maxAlphabet - 1) return undefined;
  }
  // An origin past 2^38 is a table of huge equal numbers, which bytes code as well.
  if (values.length === 0 || Math.abs(min * scale) > 2 ** 38) return undefined;
  const alphabet = (max - min) * scale + (negativeZero ? 2 : 1);
  return { bits, origin: min * scale + 0, alphabet, negativeZero };
}
