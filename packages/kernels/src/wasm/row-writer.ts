import { GROUP, QUAD, ROW_HEADER } from './layout.js';

/**
 * What the positive weights of a group may add up to, and the magnitudes of the negative ones: two of -128 must fit. Then no activation makes
 * a 16-bit sum overflow: 256 * 127 and (255 + 256) * 64 (codes 0..127, as they are or less 64, the edge code 128 included) and 255 * 128
 * (codes 0..255 less 128, groups of one sign, taken as positive) are below 2^15.
 */
const GROUP_BOUNDS = { plus: 255, minus: 256 } as const;

// Where things are in a row, as constants of this file, because #endRow and #dealTo are hot.
const HEADER_BYTES = ROW_HEADER.bytes;
const HEADER_ROW = ROW_HEADER.fields.row.at;
const HEADER_SUM = ROW_HEADER.fields.sum.at;
const HEADER_SCALE = ROW_HEADER.fields.scale.at;
const HEADER_BIAS = ROW_HEADER.fields.bias.at;
const HEADER_MINUS_GROUPS = ROW_HEADER.fields.minusGroups.at;
const HEADER_PLUS_GROUPS = ROW_HEADER.fields.plusGroups.at;
// Groups, pairs and quads consist of words of 16 bits, two weights in one. The loops write these words one after another
// in the order of the layout: adding an imported offset to each place makes packing 3 % slower.
const GROUP_WORDS = GROUP.bytes / 2;

/**
 * How a stream holds a row's nonzeros: in groups of pairs, of signed weights (`mixed`) or of one sign each and with magnitudes of 7 bits (`split`),
 * or in quads (`dot4`).
 */
export type StreamForm = 'mixed' | 'split' | 'dot4';

/** Magnitudes of four make a class: sorting by classes takes half the time, for 0.2 % more groups. */
const CLASS_BITS = 2;
/** Classes of one sign. */
const CLASSES = (128 >> CLASS_BITS) + 1;
/** The class of a weight, by its byte: first the positive ones, the largest first. A table, because nothing foresees signs. */
const CLASS_OF = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte < 128 ? CLASSES - 1 - (byte >> CLASS_BITS) : 2 * CLASSES - 1 - ((256 - byte) >> CLASS_BITS),
);

/**
 * Turns rows into their part of a weight stream, whose format layout.ts describes, and hands them out sorted by the
 * lengths of their groups.
 */
export class RowWriter {
  #form: StreamForm = 'mixed';
  /** The row so far: its entries, and the sums of the positive ones and of the magnitudes of the others. */
  readonly #offsets: Uint16Array;
  readonly #weights: Int8Array;
  #count = 0;
  #plus = 0;
  #minus = 0;
  /** What is dealt, two entries a pair. */
  readonly #sortedOffsets: Uint16Array;
  readonly #sortedWeights: Int8Array;
  readonly #places = new Uint32Array(2 * CLASSES);
  #bytes = new Uint8Array(1 << 16);
  #view = new DataView(this.#bytes.buffer);
  #words = new Uint16Array(this.#bytes.buffer);
  #at = 0;
  #rows = 0;
  #ends = new Uint32Array(0);
  #keys = new Float64Array(0);

  /** For rows of at most `nonzeros`. */
  constructor(nonzeros: number) {
    // -128 counts twice where it is split. A quad may lack three; each sign's last pair one.
    this.#offsets = new Uint16Array(2 * nonzeros + 3);
    this.#weights = new Int8Array(2 * nonzeros + 3);
    this.#sortedOffsets = new Uint16Array(2 * nonzeros + 2);
    this.#sortedWeights = new Int8Array(2 * nonzeros + 2);
  }

  /** Forgets the rows so far, one that was refused half-way too; at most `rows` follow. */
  restart(rows: number, form: StreamForm) {
    this.#form = form;
    this.#at = 0;
    this.#rows = 0;
    this.#restartRow();
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
    return this.#plus - this.#minus;
  }
  get magnitudes(): number {
    return this.#plus + this.#minus;
  }

  add(offset: number, weight: number) {
    if (weight === -128 && this.#form === 'split') {
      this.add(offset, -64);
      this.add(offset, -64);
      return;
    }
    this.#offsets[this.#count] = offset;
    this.#weights[this.#count++] = weight;
    if (weight < 0) this.#minus -= weight;
    else this.#plus += weight;
  }

  /** `sum` is that of all the row's weights, in other blocks too. */
  endRow(row: number, sum: number, scale: number, bias: number) {
    const count = this.#count;
    // At worst each entry is a quad, or half of a group.
    this.#room(HEADER_BYTES + QUAD.bytes * (count + 1));
    const header = this.#at;
    this.#at += HEADER_BYTES;
    let minusGroups = 0;
    let plusGroups = 0;
    if (this.#form === 'dot4') plusGroups = this.#writeQuads();
    else if (this.#form === 'mixed') {
      // An odd one out shares its pair with the first of the other sign.
      this.#sort(0, false);
      plusGroups = this.#deal(0, count, this.#plus, this.#minus);
    } else {
      const positive = this.#sort(1, true);
      minusGroups = this.#deal(positive + 1, count - positive, this.#minus, 0);
      plusGroups = this.#deal(0, positive, this.#plus, 0);
    }
    const view = this.#view;
    view.setInt32(header + HEADER_ROW, row, true);
    view.setInt32(header + HEADER_SUM, sum, true);
    view.setFloat32(header + HEADER_SCALE, scale, true);
    view.setFloat32(header + HEADER_BIAS, bias, true);
    view.setUint16(header + HEADER_MINUS_GROUPS, minusGroups, true);
    view.setUint16(header + HEADER_PLUS_GROUPS, plusGroups, true);
    // Rows of equal length with equal numbers of groups have groups of equal lengths: pairs are always dealt alike. Quads all have one length.
    // Below 2^53: at most 2^13 groups, 2^17 bytes, 2^20 rows.
    this.#keys[this.#rows] = ((minusGroups + plusGroups) * 2 ** 18 + (this.#at - header)) * 2 ** 20 + this.#rows;
    this.#ends[this.#rows++] = this.#at;
    this.#restartRow();
  }

  /** Rows `first .. end` (by the order of their ends), each with its place among all: those from `first` on, in the sorted order. Once for each row. */
  forEachSorted(first: number, end: number, each: (bytes: Uint8Array, place: number) => void) {
    const keys = this.#keys.subarray(first, end).sort();
    for (let i = 0; i < keys.length; i++) {
      const row = keys[i] % 2 ** 20;
      each(this.#bytes.subarray(row === 0 ? 0 : this.#ends[row - 1], this.#ends[row]), first + i);
    }
  }

  #restartRow() {
    this.#count = 0;
    this.#plus = 0;
    this.#minus = 0;
  }

  /**
   * The row's entries by sign and class: the positive ones first, the largest class first, equal ones in their order. `gap`: places between the
   * signs. `magnitudes`: without their signs. Gives the number of positive ones.
   */
  #sort(gap: number, magnitudes: boolean): number {
    const places = this.#places.fill(0);
    const offsets = this.#offsets;
    const weights = this.#weights;
    const sortedOffsets = this.#sortedOffsets;
    const sortedWeights = this.#sortedWeights;
    const count = this.#count;
    for (let i = 0; i < count; i++) places[CLASS_OF[weights[i] & 255]]++;
    let place = 0;
    let positive = 0;
    for (let i = 0; i < places.length; i++) {
      if (i === CLASSES) {
        positive = place;
        place += gap;
      }
      const size = places[i];
      places[i] = place;
      place += size;
    }
    for (let i = 0; i < count; i++) {
      const weight = weights[i];
      const to = places[CLASS_OF[weight & 255]]++;
      sortedOffsets[to] = offsets[i];
      sortedWeights[to] = magnitudes ? Math.abs(weight) : weight;
    }
    return positive;
  }

  /** Deals sorted entries from `begin` on, whose positive and negative weights have these sums, to as few groups as these allow. Gives their number. */
  #deal(begin: number, entries: number, plus: number, minus: number): number {
    if (entries === 0) return 0;
    // The last pair's second, where it has none: offset 0 is a feature of every block.
    this.#sortedOffsets[begin + entries] = 0;
    this.#sortedWeights[begin + entries] = 0;
    // Weights of 0 alone still want a group.
    let groups = Math.max(1, Math.ceil(Math.max(plus / GROUP_BOUNDS.plus, minus / GROUP_BOUNDS.minus)));
    while (!this.#dealTo(groups, begin, (entries + 1) >> 1)) groups++;
    return groups;
  }

  /** Deals pairs to and fro, so that groups are even in sum and length: 0 1 2, 2 1 0, 0 1 2, ... False, and nothing written, where a sum is too large. */
  #dealTo(groups: number, from: number, pairs: number): boolean {
    // No pairs of values in these loops: until they are optimized each would be an array, 30 MB in all (BERT-base).
    const offsets = this.#sortedOffsets;
    const weights = this.#sortedWeights;
    const words = this.#words;
    let at = this.#at >> 1;
    for (let group = 0; group < groups; group++) {
      const begin = at;
      at += GROUP_WORDS;
      let plus = 0;
      let minus = 0;
      let step = 2 * (groups - group) - 1;
      for (let pair = group; pair < pairs; ) {
        const first = from + 2 * pair;
        const a = weights[first];
        const b = weights[first + 1];
        if (a > 0) plus += a;
        else minus -= a;
        if (b > 0) plus += b;
        else minus -= b;
        words[at++] = offsets[first];
        words[at++] = offsets[first + 1];
        words[at++] = (a & 255) | (b << 8);
        pair += step;
        step = 2 * groups - step;
      }
      if (plus > GROUP_BOUNDS.plus || minus > GROUP_BOUNDS.minus) return false;
      words[begin] = 2 * (at - begin - GROUP_WORDS);
    }
    this.#at = 2 * at;
    return true;
  }

  /** Entries in their order, four at a time. Gives the number of quads. */
  #writeQuads(): number {
    const offsets = this.#offsets;
    const weights = this.#weights;
    const quads = (this.#count + 3) >> 2;
    offsets.fill(0, this.#count, 4 * quads);
    weights.fill(0, this.#count, 4 * quads);
    const words = this.#words;
    let at = this.#at >> 1;
    for (let i = 0; i < 4 * quads; i += 4) {
      words[at++] = offsets[i];
      words[at++] = offsets[i + 1];
      words[at++] = offsets[i + 2];
      words[at++] = offsets[i + 3];
      words[at++] = (weights[i] & 255) | (weights[i + 1] << 8);
      words[at++] = (weights[i + 2] & 255) | (weights[i + 3] << 8);
    }
    this.#at = 2 * at;
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
