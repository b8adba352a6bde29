/**
 * What the positive weights of a group may add up to, and the magnitudes of the negative ones: two of -128 must fit. Then no activation makes
 * a 16-bit sum overflow: 256 * 127 and (255 + 256) * 64 (codes 0..127, as they are or less 64, the edge code 128 included) and 255 * 128
 * (codes 0..255 less 128, groups of one sign, taken as positive) are below 2^15.
 */
const GROUP_BOUNDS = { plus: 255, minus: 256 } as const;

/** Bytes of a row's header and of a pair. */
export const HEADER = 20;
const PAIR = 6;

/** Turns rows into their part of a weight stream (assembly/sparse.ts has its format) and hands them out sorted by the lengths of their groups. */
export class RowWriter {
  #split = false;
  readonly #plus: Nonzeros;
  readonly #minus: Nonzeros;
  readonly #pairs: Pairs;
  #bytes = new Uint8Array(1 << 16);
  #view = new DataView(this.#bytes.buffer);
  #at = 0;
  #rows = 0;
  #ends = new Uint32Array(0);
  #keys = new Float64Array(0);

  /** For rows of at most `entries` nonzeros. */
  constructor(entries: number) {
    // -128 counts twice where it is split.
    this.#plus = new Nonzeros(2 * entries);
    this.#minus = new Nonzeros(2 * entries);
    this.#pairs = new Pairs(2 * entries + 1);
  }

  /** Forgets the rows so far; at most `rows` follow. `split`: groups of one sign each, magnitudes of 7 bits. */
  restart(rows: number, split: boolean) {
    this.#split = split;
    this.#at = 0;
    this.#rows = 0;
    // A row that was refused half-way.
    this.#plus.count = 0;
    this.#minus.count = 0;
    this.#pairs.clear();
    if (this.#ends.length >= rows) return;
    this.#ends = new Uint32Array(rows);
    this.#keys = new Float64Array(rows);
  }

  /** Bytes of the rows so far. */
  get length(): number {
    return this.#at;
  }

  add(offset: number, weight: number) {
    if (weight >= 0) this.#plus.add(offset, weight);
    else if (this.#split && weight === -128) {
      this.#minus.add(offset, 64);
      this.#minus.add(offset, 64);
    } else this.#minus.add(offset, -weight);
  }

  /** `sum` is that of all the row's weights, in other blocks too. */
  endRow(row: number, sum: number, scale: number, bias: number) {
    const [plus, minus, pairs] = [this.#plus, this.#minus, this.#pairs];
    // At worst each pair is a group.
    this.#room(HEADER + (PAIR + 2) * (plus.count + minus.count + 1));
    const header = this.#at;
    this.#at += HEADER;
    plus.sort();
    minus.sort();
    let minusGroups = 0;
    if (this.#split) {
      pairs.take(minus, 1);
      minusGroups = this.#deal();
    }
    pairs.take(plus, 1);
    if (!this.#split) pairs.take(minus, -1);
    const plusGroups = this.#deal();
    const view = this.#view;
    view.setUint32(header, row, true);
    view.setInt32(header + 4, sum, true);
    view.setFloat32(header + 8, scale, true);
    view.setFloat32(header + 12, bias, true);
    view.setUint16(header + 16, minusGroups, true);
    view.setUint16(header + 18, plusGroups, true);
    // Rows of equal length with equal numbers of groups have groups of equal lengths: pairs are always dealt alike.
    // Below 2^53: at most 2^13 groups, 2^17 bytes, 2^20 rows.
    this.#keys[this.#rows] = ((minusGroups + plusGroups) * 2 ** 18 + (this.#at - header)) * 2 ** 20 + this.#rows;
    this.#ends[this.#rows++] = this.#at;
    plus.count = 0;
    minus.count = 0;
  }

  /** Rows `first .. end` (by the order of their ends), each with its place among all: those from `first` on, in the sorted order. Once for each row. */
  forEachSorted(first: number, end: number, each: (bytes: Uint8Array, place: number) => void) {
    const keys = this.#keys.subarray(first, end).sort();
    for (let i = 0; i < keys.length; i++) {
      const row = keys[i] % 2 ** 20;
      each(this.#bytes.subarray(row === 0 ? 0 : this.#ends[row - 1], this.#ends[row]), first + i);
    }
  }

  /** Deals the pairs to as few groups as their sums allow, to and fro, so that groups are even in sum and length. Gives their number. */
  #deal(): number {
    const pairs = this.#pairs;
    const { count, offsets, weights } = pairs;
    let groups = Math.ceil(Math.max(pairs.plus / GROUP_BOUNDS.plus, pairs.minus / GROUP_BOUNDS.minus));
    // Weights of 0 alone still want a group.
    groups = count > 0 ? Math.max(1, groups) : 0;
    while (!pairs.fit(groups)) groups++;
    for (let group = 0; group < groups; group++) {
      const begin = this.#at;
      this.#at += 2;
      for (let round = 0; ; round++) {
        const pair = round * groups + (round & 1 ? groups - 1 - group : group);
        if (pair >= count) {
          if ((round + 1) * groups >= count) break;
          continue;
        }
        this.#uint16(this.#at, offsets[2 * pair]);
        this.#uint16(this.#at + 2, offsets[2 * pair + 1]);
        this.#bytes[this.#at + 4] = weights[2 * pair];
        this.#bytes[this.#at + 5] = weights[2 * pair + 1];
        this.#at += PAIR;
      }
      this.#uint16(begin, this.#at - begin - 2);
    }
    pairs.clear();
    return groups;
  }

  #uint16(at: number, value: number) {
    this.#bytes[at] = value;
    this.#bytes[at + 1] = value >>> 8;
  }

  #room(bytes: number) {
    if (this.#at + bytes <= this.#bytes.length) return;
    const grown = new Uint8Array(2 * (this.#at + bytes));
    grown.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}

/** Offsets and magnitudes of one sign. */
class Nonzeros {
  count = 0;
  readonly offsets: Uint16Array;
  readonly weights: Uint8Array;
  readonly #unsortedOffsets: Uint16Array;
  readonly #unsortedWeights: Uint8Array;
  readonly #places = new Uint32Array(130);

  constructor(entries: number) {
    this.offsets = new Uint16Array(entries);
    this.weights = new Uint8Array(entries);
    this.#unsortedOffsets = new Uint16Array(entries);
    this.#unsortedWeights = new Uint8Array(entries);
  }

  add(offset: number, weight: number) {
    this.#unsortedOffsets[this.count] = offset;
    this.#unsortedWeights[this.count++] = weight;
  }

  /** The largest first; equal ones stay in their order. */
  sort() {
    const places = this.#places;
    places.fill(0);
    for (let i = 0; i < this.count; i++) places[128 - this.#unsortedWeights[i] + 1]++;
    for (let i = 1; i < places.length; i++) places[i] += places[i - 1];
    for (let i = 0; i < this.count; i++) {
      const weight = this.#unsortedWeights[i];
      const place = places[128 - weight]++;
      this.offsets[place] = this.#unsortedOffsets[i];
      this.weights[place] = weight;
    }
  }
}

/** A row's nonzeros two and two. */
class Pairs {
  /** Pairs; the last may have one nonzero only, its other weight 0. */
  count = 0;
  /** Sums of the weights, of either sign. */
  plus = 0;
  minus = 0;
  readonly offsets: Uint16Array;
  readonly weights: Int8Array;
  #entries = 0;
  #groupPlus = new Uint32Array(16);
  #groupMinus = new Uint32Array(16);

  constructor(entries: number) {
    this.offsets = new Uint16Array(2 * entries);
    this.weights = new Int8Array(2 * entries);
  }

  clear() {
    this.#entries = 0;
    this.count = 0;
    this.plus = 0;
    this.minus = 0;
  }

  /** Adds sorted nonzeros with a sign; an odd one out shares its pair with the next ones' first. */
  take({ count, offsets, weights }: Nonzeros, sign: 1 | -1) {
    let sum = 0;
    for (let i = 0; i < count; i++) {
      sum += weights[i];
      this.offsets[this.#entries] = offsets[i];
      this.weights[this.#entries++] = sign * weights[i];
    }
    if (sign > 0) this.plus += sum;
    else this.minus += sum;
    this.count = (this.#entries + 1) >> 1;
    // The missing one: offset 0 is a feature of every block.
    this.offsets[this.#entries] = 0;
    this.weights[this.#entries] = 0;
  }

  /** Whether, dealt to and fro, no group exceeds its bounds. */
  fit(groups: number): boolean {
    if (this.#groupPlus.length < groups) {
      this.#groupPlus = new Uint32Array(2 * groups);
      this.#groupMinus = new Uint32Array(2 * groups);
    }
    const [plus, minus, weights] = [this.#groupPlus, this.#groupMinus, this.weights];
    plus.fill(0, 0, groups);
    minus.fill(0, 0, groups);
    let group = 0;
    let step = 1;
    for (let i = 0; i < 2 * this.count; i += 2) {
      for (let j = i; j < i + 2; j++) {
        if (weights[j] > 0) plus[group] += weights[j];
        else minus[group] -= weights[j];
      }
      if (plus[group] > GROUP_BOUNDS.plus || minus[group] > GROUP_BOUNDS.minus) return false;
      group += step;
      if (group === groups || group < 0) {
        step = -step;
        group += step;
      }
    }
    return true;
  }
}
