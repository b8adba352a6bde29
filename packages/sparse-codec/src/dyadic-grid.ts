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
export function dyadicGrid(values: Float32Array, maxAlphabet: number): DyadicGrid | undefined {
  const finder = new GridFinder(values, maxAlphabet);
  finder.look(0, values.length);
  return finder.grid();
}

/** {@link dyadicGrid} with returns to the event loop. */
export async function dyadicGridInTurns(
  values: Float32Array,
  maxAlphabet: number,
  pacer: Pacer,
): Promise<DyadicGrid | undefined> {
  const finder = new GridFinder(values, maxAlphabet);
  await inBlocks(values.length, pacer, (from, to) => finder.look(from, to));
  return finder.grid();
}

class GridFinder {
  private bits = 0;
  private min = Number.POSITIVE_INFINITY;
  private max = Number.NEGATIVE_INFINITY;
  private negativeZero = false;
  private failed = false;

  constructor(
    private readonly values: Float32Array,
    private readonly maxAlphabet: number,
  ) {}

  look(from: number, to: number): void {
    if (this.failed) return;
    const { values, maxAlphabet } = this;
    let { bits, min, max, negativeZero } = this;
    let scale = 2 ** bits;
    for (let i = from; i < to; i++) {
      const value = values[i];
      if (value < min) min = value;
      if (value > max) max = value;
      if (Object.is(value, -0)) negativeZero = true;
      // NaN and infinity fail here too: neither equals its own floor plus nothing.
      while (!(Math.floor(value * scale) - value * scale === 0)) {
        if (bits === MAX_GRID_BITS) {
          this.failed = true;
          return;
        }
        bits++;
        scale *= 2;
      }
      if ((max - min) * scale >= maxAlphabet - 1) {
        this.failed = true;
        return;
      }
    }
    this.bits = bits;
    this.min = min;
    this.max = max;
    this.negativeZero = negativeZero;
  }

  grid(): DyadicGrid | undefined {
    const { bits, min, max, negativeZero } = this;
    const scale = 2 ** bits;
    // An origin past 2^38 is a table of huge equal numbers, which bytes code as well.
    if (this.failed || this.values.length === 0 || Math.abs(min * scale) > 2 ** 38) return undefined;
    const alphabet = (max - min) * scale + (negativeZero ? 2 : 1);
    return { bits, origin: min * scale + 0, alphabet, negativeZero };
  }
}
