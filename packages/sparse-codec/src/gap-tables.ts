/**
 * The distribution of the way to a row's next nonzero, in slots, for every density class of a row (SPEC.md, "Mask").
 *
 * A row of class k meets a nonzero in any one slot with hazard h(k) = 2^-(1 + k / 2), whatever came before: the way is geometric, and
 * cutting it short at `reach` slots and starting again there changes nothing.
 */
export interface GapTables {
  /** Per class, `STRIDE` entries: `below[k * STRIDE + g]` = 4,096 x P(way < g slots), g = 0 .. reach[k]; strictly ascending, < 4,096. */
  readonly below: Uint16Array;
  /** Per class, 4,096 entries: the largest g whose `below` is at most the position; `reach[k]` is the escape. */
  readonly gapAt: Uint16Array;
  /** Per class: the slots that one symbol can see. */
  readonly reach: Int32Array;
  /** P(a column of w slots is missed) = (1 - h(k))^w by squares of doubles, for the encoder's fit. */
  readonly survival: (density: number, weight: number) => number;
}

/** Density classes of rows: hazards from 1/2 to 2^-11.5. Sparser ones would need more than 12 bits of probability. */
export const ROW_CLASSES = 22;
/** Bits of a probability in the mask and value coders. */
export const SCALE_BITS = 12;
export const SCALE = 1 << SCALE_BITS;
/** Entries a class in {@link GapTables.below}; the widest class reaches 1,529 slots. */
export const STRIDE = 1536;

// 2^26: products of two such fixed-point numbers are exact in a double.
const ONE = 0x4000000;
// floor(2^26 / sqrt(2))
const HALF_STEP = 47453132;

let tables: GapTables | undefined;

/** The tables, made on first use (2 ms, 250 KB) and kept: they depend on nothing. */
export function gapTables(): GapTables {
  tables ??= build();
  return tables;
}

function build(): GapTables {
  const below = new Uint16Array(ROW_CLASSES * STRIDE);
  const gapAt = new Uint16Array(ROW_CLASSES * SCALE);
  const reach = new Int32Array(ROW_CLASSES);
  const misses = new Float64Array(ROW_CLASSES);
  for (let k = 0; k < ROW_CLASSES; k++) {
    const hazard = Math.floor((k % 2 === 1 ? HALF_STEP : ONE) / 2 ** (1 + (k >> 1)));
    misses[k] = (ONE - hazard) / ONE;
    let survivors = ONE;
    let g = 0;
    for (;;) {
      survivors = Math.floor((survivors * (ONE - hazard)) / ONE);
      const next = SCALE - Math.floor((survivors * SCALE + ONE / 2) / ONE);
      // A slot that no longer gets a 4,096th ends the table; so does the last 4,096th, which the escape needs.
      if (next <= below[k * STRIDE + g] || next >= SCALE) break;
      g++;
      below[k * STRIDE + g] = next;
    }
    reach[k] = g;
    for (let i = 0; i < g; i++) {
      gapAt.fill(i, k * SCALE + below[k * STRIDE + i], k * SCALE + below[k * STRIDE + i + 1]);
    }
    gapAt.fill(g, k * SCALE + below[k * STRIDE + g], (k + 1) * SCALE);
  }
  const survival = (density: number, weight: number) => {
    let power = 1;
    let square = misses[density];
    for (let rest = weight; rest > 0; rest >>= 1) {
      if (rest & 1) power *= square;
      square *= square;
    }
    return power;
  };
  return { below, gapAt, reach, survival };
}
