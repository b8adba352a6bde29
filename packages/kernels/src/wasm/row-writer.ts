/**
 * What the positive weights of a group may add up to, and the magnitudes of the negative ones: two of -128 must fit. Then no activation makes
 * a 16-bit sum overflow: 256 * 127 and (255 + 256) * 64 (codes 0..127, as they are or less 64, the edge code 128 included) and 255 * 128
 * (codes 0..255 less 128, groups of one sign, taken as positive) are below 2^15.
 */
const GROUP_BOUNDS = { plus: 255, minus: 256 } as const;

/** Bytes of a row's header and of a quad. */
export const HEADER = 20;
const QUAD = 12;

/**
 * How a stream holds a row's nonzeros: in groups of pairs, of signed weights (`mixed`) or of one sign each and with magnitudes of 7 bits (`split`),
 * or in quads (`dot4`).
 */
export type StreamForm = 'mixed' | 'split' | 'dot4';

/** Turns rows into their part of a weight stream (assembly/sparse.ts has its format) and hands them out sorted by the lengths of their groups. */
export class RowWriter {
  #form: StreamForm = 'mixed';
  readonly #plus: Nonzeros;
  readonly #minus: Nonzeros;
  /** A row's entries: two a pair, four a quad. */
  readonly #offsets: Uint16Array;
  readonly #weights: Int8Array;
  #bytes = new Uint8Array(1 << 16);
  #view = new DataView(this.#bytes.buffer);
  #words = new Uint16Array(this.#bytes.buffer);
  #at = 0;
  #rows = 0;
  #ends = new Uint32Array(0);
  #keys = new Float64Array(0);

  /** For rows of at most `entries` nonzeros. */
  constructor(entries: number) {
    // -128 counts twice where it is split.
    this.#plus = new Nonzeros(2 * entries);
    this.#minus = new Nonzeros(2 * entries);
    this.#offsets = new Uint16Array(2 * entries + 3);
    this.#weights = new Int8Array(2 * entries + 3);
  }

  /** Forgets the rows so far; at most `rows` follow. */
  restart(rows: number, form: StreamForm) {
    this.#form = form;
    this.#at = 0;
    this.#rows = 0;
    // A row that was refused half-way.
    this.#plus.clear();
    this.#minus.clear();
    if (this.#ends.length >= rows) return;
    this.#ends = new Uint32Array(rows);
    this.#keys = new Float64Array(rows);
  }

  /** Bytes of the rows so far. */
  get length(): number {
    return this.#at;
  }

  /** Sums of the row so far: of its weights, and of their magnitudes. */
  get sum(): number {
    return this.#plus.sum - this.#minus.sum;
  }
  get magnitudes(): number {
    return this.#plus.sum + this.#minus.sum;
  }

  add(offset: number, weight: number) {
    if (weight >= 0) this.#plus.add(offset, weight);
    else if (this.#form === 'split' && weight === -128) {
      this.#minus.add(offset, 64);
      this.#minus.add(offset, 64);
    } else this.#minus.add(offset, -weight);
  }

  /** `sum` is that of all the row's weights, in other blocks too. */
  endRow(row: number, sum: number, scale: number, bias: number) {
    const plus = this.#plus;
    const minus = this.#minus;
    const entries = plus.count + minus.count;
    // At worst each pair is a group, or each entry a quad.
    this.#room(HEADER + QUAD * (entries + 1));
    const header = this.#at;
    this.#at += HEADER;
    let minusGroups = 0;
    let plusGroups = 0;
    if (this.#form === 'split') {
      minus.copyTo(this.#offsets, this.#weights, 0, 1);
      minusGroups = this.#deal(minus.count, minus.sum, 0);
      plus.copyTo(this.#offsets, this.#weights, 0, 1);
      plusGroups = this.#deal(plus.count, plus.sum, 0);
    } else {
      // An odd one out shares its pair with the first of the other sign.
      plus.copyTo(this.#offsets, this.#weights, 0, 1);
      minus.copyTo(this.#offsets, this.#weights, plus.count, -1);
      plusGroups = this.#form === 'dot4' ? this.#writeQuads(entries) : this.#deal(entries, plus.sum, minus.sum);
    }
    const view = this.#view;
    view.setUint32(header, row, true);
    view.setInt32(header + 4, sum, true);
    view.setFloat32(header + 8, scale, true);
    view.setFloat32(header + 12, bias, true);
    view.setUint16(header + 16, minusGroups, true);
    view.setUint16(header + 18, plusGroups, true);
    // Rows of equal length with equal numbers of groups have groups of equal lengths: pairs are always dealt alike.
    // Quads are all of a length, and there are no more of them than of pairs.
    // Below 2^53: at most 2^13 groups, 2^17 bytes, 2^20 rows.
    this.#keys[this.#rows] = ((minusGroups + plusGroups) * 2 ** 18 + (this.#at - header)) * 2 ** 20 + this.#rows;
    this.#ends[this.#rows++] = this.#at;
    plus.clear();
    minus.clear();
  }

  /** Rows `first .. end` (by the order of their ends), each with its place among all: those from `first` on, in the sorted order. Once for each row. */
  forEachSorted(first: number, end: number, each: (bytes: Uint8Array, place: number) => void) {
    const keys = this.#keys.subarray(first, end).sort();
    for (let i = 0; i < keys.length; i++) {
      const row = keys[i] % 2 ** 20;
      each(this.#bytes.subarray(row === 0 ? 0 : this.#ends[row - 1], this.#ends[row]), first + i);
    }
  }

  /** Deals entries, whose positive and negative weights have these sums, to as few groups as these allow. Gives their number. */
  #deal(entries: number, plus: number, minus: number): number {
    if (entries === 0) return 0;
    // The last pair's second, where it has none: offset 0 is a feature of every block.
    this.#offsets[entries] = 0;
    this.#weights[entries] = 0;
    // Weights of 0 alone still want a group.
    let groups = Math.max(1, Math.ceil(Math.max(plus / GROUP_BOUNDS.plus, minus / GROUP_BOUNDS.minus)));
    while (!this.#dealTo(groups, (entries + 1) >> 1)) groups++;
    return groups;
  }

  /** Deals pairs to and fro, so that groups are even in sum and length: 0 1 2, 2 1 0, 0 1 2, ... False, and nothing written, where a sum is too large. */
  #dealTo(groups: number, pairs: number): boolean {
    // No pairs of values in these loops: until they are optimized each would be an array, 30 MB in all (BERT-base).
    const offsets = this.#offsets;
    const weights = this.#weights;
    const words = this.#words;
    let at = this.#at >> 1;
    for (let group = 0; group < groups; group++) {
      const begin = at++;
      let plus = 0;
      let minus = 0;
      let step = 2 * (groups - group) - 1;
      for (let pair = group; pair < pairs; ) {
        const a = weights[2 * pair];
        const b = weights[2 * pair + 1];
        if (a > 0) plus += a;
        else minus -= a;
        if (b > 0) plus += b;
        else minus -= b;
        words[at] = offsets[2 * pair];
        words[at + 1] = offsets[2 * pair + 1];
        words[at + 2] = (a & 255) | (b << 8);
        at += 3;
        pair += step;
        step = 2 * groups - step;
      }
      if (plus > GROUP_BOUNDS.plus || minus > GROUP_BOUNDS.minus) return false;
      words[begin] = 2 * (at - begin - 1);
    }
    this.#at = 2 * at;
    return true;
  }

  /** Entries as they come, four at a time. Gives the number of quads. */
  #writeQuads(entries: number): number {
    const quads = (entries + 3) >> 2;
    this.#offsets.fill(0, entries, 4 * quads);
    this.#weights.fill(0, entries, 4 * quads);
    for (let quad = 0; quad < quads; quad++) {
      for (let i = 4 * quad; i < 4 * quad + 4; i++) {
        this.#words[(this.#at >> 1) + (i & 3)] = this.#offsets[i];
        this.#bytes[this.#at + 8 + (i & 3)] = this.#weights[i];
      }
      this.#at += QUAD;
    }
    return quads;
  }

  #room(bytes: number) {
    if (this.#at + bytes <= this.#bytes.length) return;
    const grown = new Uint8Array(2 * (this.#at + bytes));
    grown.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
    this.#words = new Uint16Array(grown.buffer);
  }
}

/** Magnitudes of four make a class: sorting by classes takes half the time, for 0.2 % more groups. */
const CLASS_BITS = 2;
const LARGEST_CLASS = 128 >> CLASS_BITS;

/** Offsets and magnitudes of one sign. */
class Nonzeros {
  count = 0;
  sum = 0;
  readonly #offsets: Uint16Array;
  readonly #weights: Uint8Array;
  readonly #places = new Uint32Array(LARGEST_CLASS + 2);

  constructor(entries: number) {
    this.#offsets = new Uint16Array(entries);
    this.#weights = new Uint8Array(entries);
  }

  clear() {
    this.count = 0;
    this.sum = 0;
  }

  add(offset: number, weight: number) {
    this.#offsets[this.count] = offset;
    this.#weights[this.count++] = weight;
    this.sum += weight;
  }

  /** From `begin` on, their weights with a sign: the largest class first, equal ones in their order. */
  copyTo(offsets: Uint16Array, weights: Int8Array, begin: number, sign: 1 | -1) {
    const places = this.#places;
    places.fill(0);
    const { count } = this;
    const from = this.#offsets;
    const magnitudes = this.#weights;
    for (let i = 0; i < count; i++) places[LARGEST_CLASS + 1 - (magnitudes[i] >> CLASS_BITS)]++;
    places[0] = begin;
    for (let i = 1; i < places.length; i++) places[i] += places[i - 1];
    for (let i = 0; i < count; i++) {
      const weight = magnitudes[i];
      const place = places[LARGEST_CLASS - (weight >> CLASS_BITS)]++;
      offsets[place] = from[i];
      weights[place] = sign * weight;
    }
  }
}
