import { type BinaryDecoder, type BinaryEncoder, BitContexts } from './binary-coder.js';
import { corrupt } from './corrupt.js';
import { folded, unfolded } from './folded.js';
import { log2 } from './log2.js';
import { codeNumber, NUMBER_CONTEXTS, readNumber } from './numbers.js';
import { frequencies, weightsOf } from './value-table.js';

/**
 * Magnitudes depend on how dense their row and column are: pruning leaves more, and smaller, weights where a neuron matters. Rows and columns
 * fall into groups by density class, and each pair of groups tilts the matrix's distribution of magnitudes by two numbers
 * (SPEC.md, "Values in contexts"). Tables of their own would cost more to say than they give.
 */
export interface ValueContexts {
  /** Groups a side: 1 (no contexts) or {@link GROUPS}. */
  readonly groups: number;
  /** `groups - 1` classes at which the next group begins, ascending. */
  readonly rowStarts: readonly number[];
  readonly columnStarts: readonly number[];
  /** `groups * groups`, row group first. */
  readonly tilts: readonly Tilt[];
}

/** Frequencies of a context = the matrix's x 2^(slope u / 4 + curve u^2 / 4), u = -1 .. 1 the middle rank of the magnitude. */
export interface Tilt {
  readonly slope: number;
  readonly curve: number;
}

/** Groups a side. 4 x 4 gives 6.4 of the 7.2 KB that 8 x 8 gives on mini-qa, with a quarter of the tables. */
export const GROUPS = 4;

/** Tilts beyond this say nothing new: 2^(+-16) at the ends. */
const MAX_TILT = 64;

export const NO_CONTEXTS: ValueContexts = {
  groups: 1,
  rowStarts: [],
  columnStarts: [],
  tilts: [{ slope: 0, curve: 0 }],
};

/** The group of each class in a sequence: how many groups begin at or before it. */
export function groupsOf(starts: readonly number[], classes: Uint8Array): Uint8Array {
  const groups = new Uint8Array(classes.length);
  for (const start of starts) {
    for (let i = 0; i < classes.length; i++) if (classes[i] >= start) groups[i]++;
  }
  return groups;
}

/** For every context the frequencies of magnitudes 1 .. 128, above 0 for all that occur in the matrix. */
export function contextFrequencies(levels: Uint16Array, { tilts }: ValueContexts): Uint16Array[] {
  const weights = weightsOf(levels);
  // Without a tilt all weights are multiplied by the same power of two, which changes no frequency.
  if (tilts.every(({ slope, curve }) => slope === 0 && curve === 0)) return tilts.map(() => frequencies(weights));
  const rank = ranks(weights);
  return tilts.map((tilt) => frequencies(tiltedWeights(weights, rank, tilt)));
}

function tiltedWeights(weights: Float64Array, rank: Int32Array, tilt: Tilt): Float64Array {
  const out = new Float64Array(weights.length);
  const powers = powersOfTwo();
  for (let m = 0; m < out.length; m++) {
    if (weights[m] === 0) continue;
    const exponent = exponentOf(rank[m], tilt);
    const whole = exponent >> 12;
    out[m] = weights[m] * powers[exponent & 4095] * 2 ** whole;
  }
  return out;
}

/** In 1 / 4,096: u = rank / 128. */
function exponentOf(rank: number, { slope, curve }: Tilt): number {
  return 8 * slope * rank + Math.floor((curve * rank * rank) / 16);
}

/** -128 .. 128: 128 x (share of the smaller magnitudes - share of the larger ones). */
function ranks(weights: Float64Array): Int32Array {
  const frequency = frequencies(weights);
  let below = 0;
  return Int32Array.from(frequency, (f) => {
    const rank = Math.floor((2 * below + f - 4096) / 32);
    below += f;
    return rank;
  });
}

let powers: Float64Array | undefined;

/** floor(2^20 x 2^(i / 4,096)) by repeated multiplication in doubles: not the nearest, but the same everywhere. */
function powersOfTwo(): Float64Array {
  if (powers === undefined) {
    powers = new Float64Array(4096);
    let power = 2 ** 20;
    for (let i = 0; i < 4096; i++) {
      powers[i] = Math.floor(power);
      power *= 1.0001692397053021;
    }
  }
  return powers;
}

/** The contexts that make the values cheapest, {@link NO_CONTEXTS} where they do not pay. `counts[class of row][class of column][magnitude - 1]`. */
export function fitContexts(
  levels: Uint16Array,
  rowStarts: readonly number[],
  columnStarts: readonly number[],
  counts: readonly Int32Array[],
): ValueContexts {
  const weights = weightsOf(levels);
  const rank = ranks(weights);
  let gain = -40 * 4096;
  const tilts = counts.map((count) => {
    const own = count.reduce((sum, n) => sum + n, 0);
    const cost = (tilt: Tilt) => {
      if (own === 0) return 0;
      const total = tiltedWeights(weights, rank, tilt).reduce((sum, w) => sum + w, 0);
      const said = 4096 * (2 + 2 * (bitLength(tilt.slope) + bitLength(tilt.curve)));
      return (
        count.reduce((sum, n, m) => (n === 0 ? sum : sum - n * exponentOf(rank[m], tilt)), own * log2(total)) + said
      );
    };
    let best: Tilt = { slope: 0, curve: 0 };
    const flat = cost(best);
    let bestCost = flat;
    for (let step = 8; step >= 1; ) {
      let moved = false;
      for (const [ds, dc] of [
        [step, 0],
        [-step, 0],
        [0, step],
        [0, -step],
      ]) {
        const next = { slope: best.slope + ds, curve: best.curve + dc };
        if (Math.abs(next.slope) > MAX_TILT || Math.abs(next.curve) > MAX_TILT) continue;
        const nextCost = cost(next);
        if (nextCost >= bestCost) continue;
        [best, bestCost, moved] = [next, nextCost, true];
      }
      if (!moved) step /= 2;
    }
    gain += flat - bestCost;
    return best;
  });
  return gain > 0 ? { groups: GROUPS, rowStarts, columnStarts, tilts } : NO_CONTEXTS;
}

function bitLength(n: number): number {
  return 32 - Math.clz32(Math.abs(n));
}

/** The classes at which `GROUPS` groups of about equal weight begin. */
export function startsOf(weightOfClass: Int32Array): number[] {
  const total = weightOfClass.reduce((sum, n) => sum + n, 0);
  const starts: number[] = [];
  let sum = 0;
  for (let c = 0; c < weightOfClass.length && starts.length < GROUPS - 1; c++) {
    sum += weightOfClass[c];
    while (starts.length < GROUPS - 1 && sum * GROUPS >= total * (starts.length + 1)) starts.push(c + 1);
  }
  return starts;
}

const KINDS = { groups: 0, start: 1, slope: 2, curve: 3 } as const;
const context = (kind: keyof typeof KINDS) => KINDS[kind] * NUMBER_CONTEXTS;

export function writeContexts(coder: BinaryEncoder, { groups, rowStarts, columnStarts, tilts }: ValueContexts): void {
  const contexts = new BitContexts(4 * NUMBER_CONTEXTS);
  codeNumber(coder, contexts, context('groups'), groups - 1);
  if (groups === 1) return;
  for (const start of [...rowStarts, ...columnStarts]) codeNumber(coder, contexts, context('start'), start);
  for (const { slope, curve } of tilts) {
    codeNumber(coder, contexts, context('slope'), folded(slope));
    codeNumber(coder, contexts, context('curve'), folded(curve));
  }
}

export function readContexts(coder: BinaryDecoder): ValueContexts {
  const contexts = new BitContexts(4 * NUMBER_CONTEXTS);
  const groups = 1 + readNumber(coder, contexts, context('groups'));
  if (groups === 1) return NO_CONTEXTS;
  if (groups > 2 * GROUPS) throw corrupt('too many groups of rows', groups, `at most ${2 * GROUPS}`);
  const starts = () => Array.from({ length: groups - 1 }, () => readNumber(coder, contexts, context('start')));
  const tilt = (kind: 'slope' | 'curve') => {
    const n = readNumber(coder, contexts, context(kind));
    if (n > 2 * MAX_TILT) throw corrupt('tilt is too large', n, `at most ${2 * MAX_TILT}`);
    return unfolded(n);
  };
  const rowStarts = starts();
  const columnStarts = starts();
  const tilts = Array.from({ length: groups * groups }, () => ({ slope: tilt('slope'), curve: tilt('curve') }));
  return { groups, rowStarts, columnStarts, tilts };
}
