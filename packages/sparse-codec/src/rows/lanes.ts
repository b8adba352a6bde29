import { corrupt } from '../corrupt.js';
import { STATE_MIN } from '../rans-encoder.js';
import { SLOT_BITS, SLOTS, type SlotTables } from './slot-tables.js';

/** Groups that are decoded side by side. */
export const LANES = 4;

const SLOT = SLOTS - 1;

/**
 * Decoders of up to four groups. A symbol waits for the one before it, so one group keeps a processor busy for about a
 * third of its time; four independent ones in one loop fill the gaps. States stay in local variables within a field of
 * a row, and here between fields.
 */
export class Lanes {
  /** For each lane: the coder's state, the word that it takes next, and the table of the field to come. */
  readonly state: Int32Array = new Int32Array(LANES);
  readonly at: Int32Array = new Int32Array(LANES);
  readonly table: Int32Array = new Int32Array(LANES);
  /** For each lane: the raw byte that comes next, and the row that it is at in the memory of the rows. */
  readonly raw = new Int32Array(LANES);
  readonly row = new Int32Array(LANES);
  protected readonly end = new Int32Array(LANES);
  protected words: Uint16Array = new Uint16Array(0);
  bytes: Uint8Array = new Uint8Array(0);

  constructor(readonly tables: SlotTables) {}

  /** The bytes that groups lie in from here on; their memory must start at an even address. */
  setBytes(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.words = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >>> 1);
  }

  /**
   * Begins the group in `[start, end)` of the bytes, without its CRC-32, both even: `rawBytes` bytes (and one for
   * padding, if they are odd), then the words. Its rows go to `row` and those after it.
   */
  begin(lane: number, start: number, end: number, rawBytes: number, row: number): void {
    const at = (start + rawBytes + 1) >>> 1;
    if (2 * at + 4 > end)
      throw corrupt('group has no room for its state', end - start, `at least ${rawBytes + 4} bytes`);
    if ((rawBytes & 1) === 1 && this.bytes[start + rawBytes] !== 0) {
      throw corrupt('padding of a group', this.bytes[start + rawBytes], 0);
    }
    const state = (this.words[at] << 16) | this.words[at + 1];
    if (state < STATE_MIN) throw corrupt('group starts outside its range', state, `at least ${STATE_MIN}`);
    this.state[lane] = state;
    this.at[lane] = at + 2;
    this.end[lane] = end >>> 1;
    this.raw[lane] = start;
    this.row[lane] = row;
  }

  /** Throws `corrupt` unless the lane has taken every word and its coder is where it began. */
  finish(lane: number): void {
    if (this.at[lane] !== this.end[lane]) {
      throw corrupt('group does not end with its words', this.at[lane], this.end[lane]);
    }
    if (this.state[lane] !== STATE_MIN) {
      throw corrupt('coder of a group does not end where it began', this.state[lane], STATE_MIN);
    }
  }

  /** Chooses the table of a lane's next field. Throws `corrupt` for a table without symbols. */
  choose(lane: number, table: number): void {
    const base = this.tables.base[table];
    if (base < 0) throw corrupt('table of frequencies is empty', table, 'a table with symbols');
    this.table[lane] = base;
  }

  /** One symbol of a table that has some. */
  symbol(lane: number, table: number): number {
    this.choose(lane, table);
    const { slots, symbolAt } = this.tables;
    const state = this.state[lane];
    const k = this.table[lane] + (state & SLOT);
    const slot = slots[k];
    let next = (Math.imul(slot >>> SLOT_BITS, state >>> SLOT_BITS) + (slot & SLOT)) | 0;
    if (next < STATE_MIN) next = (next << 16) | this.words[this.at[lane]++];
    this.state[lane] = next;
    return symbolAt[k];
  }

  /**
   * The next `width` symbols of the first `count` lanes, each by its table, into `symbols`: one lane after the other.
   */
  field(count: number, width: number, symbols: Uint16Array): void {
    if (count === LANES) this.fieldOfFour(width, symbols);
    else for (let lane = 0; lane < count; lane++) this.fieldOfOne(lane, lane * width, width, symbols);
  }

  /**
   * Writes the floats of the row that each of four lanes is at, from its four planes of bytes, if there is a loop for
   * that; otherwise gives `false` and does nothing. Coded planes have the tables from 0 on, in order.
   */
  floatsOfPlanes(_width: number, _isCoded: readonly boolean[], _bits: Uint32Array): boolean {
    return false;
  }

  private fieldOfOne(lane: number, from: number, width: number, symbols: Uint16Array): void {
    // V8 folds literals, but not what a bundler has made a variable of the module: the loop took 1.4 times as long.
    const bits: typeof SLOT_BITS = 12;
    const mask = (1 << bits) - 1;
    const least: typeof STATE_MIN = 32768;
    const { words } = this;
    const { slots, symbolAt } = this.tables;
    const table = this.table[lane];
    let state = this.state[lane];
    let at = this.at[lane];
    for (let i = from; i < from + width; i++) {
      const k = table + (state & mask);
      const slot = slots[k];
      symbols[i] = symbolAt[k];
      state = (Math.imul(slot >>> bits, state >>> bits) + (slot & mask)) | 0;
      if (state < least) state = (state << 16) | words[at++];
    }
    this.state[lane] = state;
    this.at[lane] = at;
  }

  /**
   * `take` has all bits set when a state has become too small and takes a word, and is 0 otherwise. A branch would be
   * taken for every third symbol or so, and a processor cannot foresee which.
   */
  protected fieldOfFour(width: number, symbols: Uint16Array): void {
    // V8 folds literals, but not what a bundler has made a variable of the module: the loop took 1.4 times as long.
    const bits: typeof SLOT_BITS = 12;
    const mask = (1 << bits) - 1;
    const least: typeof STATE_MIN = 32768;
    const { words } = this;
    const { slots, symbolAt } = this.tables;
    const { table, state, at } = this;
    const t0 = table[0];
    const t1 = table[1];
    const t2 = table[2];
    const t3 = table[3];
    let s0 = state[0];
    let s1 = state[1];
    let s2 = state[2];
    let s3 = state[3];
    let p0 = at[0];
    let p1 = at[1];
    let p2 = at[2];
    let p3 = at[3];
    const o1 = width;
    const o2 = 2 * width;
    const o3 = 3 * width;
    for (let i = 0; i < width; i++) {
      const k0 = t0 + (s0 & mask);
      const k1 = t1 + (s1 & mask);
      const k2 = t2 + (s2 & mask);
      const k3 = t3 + (s3 & mask);
      const e0 = slots[k0];
      const e1 = slots[k1];
      const e2 = slots[k2];
      const e3 = slots[k3];
      symbols[i] = symbolAt[k0];
      symbols[o1 + i] = symbolAt[k1];
      symbols[o2 + i] = symbolAt[k2];
      symbols[o3 + i] = symbolAt[k3];
      s0 = (Math.imul(e0 >>> bits, s0 >>> bits) + (e0 & mask)) | 0;
      s1 = (Math.imul(e1 >>> bits, s1 >>> bits) + (e1 & mask)) | 0;
      s2 = (Math.imul(e2 >>> bits, s2 >>> bits) + (e2 & mask)) | 0;
      s3 = (Math.imul(e3 >>> bits, s3 >>> bits) + (e3 & mask)) | 0;
      const take0 = (s0 - least) >> 31;
      const take1 = (s1 - least) >> 31;
      const take2 = (s2 - least) >> 31;
      const take3 = (s3 - least) >> 31;
      s0 = (s0 << (take0 & 16)) | (words[p0] & take0);
      s1 = (s1 << (take1 & 16)) | (words[p1] & take1);
      s2 = (s2 << (take2 & 16)) | (words[p2] & take2);
      s3 = (s3 << (take3 & 16)) | (words[p3] & take3);
      p0 = (p0 - take0) | 0;
      p1 = (p1 - take1) | 0;
      p2 = (p2 - take2) | 0;
      p3 = (p3 - take3) | 0;
    }
    this.state.set([s0, s1, s2, s3]);
    this.at.set([p0, p1, p2, p3]);
  }

  /**
   * As {@link field} for four lanes, but writes the float of each symbol plus its column's mean to the row that a lane
   * is at. A second pass over the symbols took a third of the time of decoding them.
   */
  floatsOfFour(width: number, mean: Int32Array, values: Float32Array, out: Float32Array): void {
    // V8 folds literals, but not what a bundler has made a variable of the module: the loop took 1.4 times as long.
    const bits: typeof SLOT_BITS = 12;
    const mask = (1 << bits) - 1;
    const least: typeof STATE_MIN = 32768;
    const { words } = this;
    const { slots, symbolAt } = this.tables;
    const { table, state, at, row } = this;
    const t0 = table[0];
    const t1 = table[1];
    const t2 = table[2];
    const t3 = table[3];
    let s0 = state[0];
    let s1 = state[1];
    let s2 = state[2];
    let s3 = state[3];
    let p0 = at[0];
    let p1 = at[1];
    let p2 = at[2];
    let p3 = at[3];
    const o0 = row[0] * width;
    const o1 = row[1] * width;
    const o2 = row[2] * width;
    const o3 = row[3] * width;
    for (let i = 0; i < width; i++) {
      const k0 = t0 + (s0 & mask);
      const k1 = t1 + (s1 & mask);
      const k2 = t2 + (s2 & mask);
      const k3 = t3 + (s3 & mask);
      const e0 = slots[k0];
      const e1 = slots[k1];
      const e2 = slots[k2];
      const e3 = slots[k3];
      const m = mean[i];
      out[o0 + i] = values[symbolAt[k0] + m];
      out[o1 + i] = values[symbolAt[k1] + m];
      out[o2 + i] = values[symbolAt[k2] + m];
      out[o3 + i] = values[symbolAt[k3] + m];
      s0 = (Math.imul(e0 >>> bits, s0 >>> bits) + (e0 & mask)) | 0;
      s1 = (Math.imul(e1 >>> bits, s1 >>> bits) + (e1 & mask)) | 0;
      s2 = (Math.imul(e2 >>> bits, s2 >>> bits) + (e2 & mask)) | 0;
      s3 = (Math.imul(e3 >>> bits, s3 >>> bits) + (e3 & mask)) | 0;
      const take0 = (s0 - least) >> 31;
      const take1 = (s1 - least) >> 31;
      const take2 = (s2 - least) >> 31;
      const take3 = (s3 - least) >> 31;
      s0 = (s0 << (take0 & 16)) | (words[p0] & take0);
      s1 = (s1 << (take1 & 16)) | (words[p1] & take1);
      s2 = (s2 << (take2 & 16)) | (words[p2] & take2);
      s3 = (s3 << (take3 & 16)) | (words[p3] & take3);
      p0 = (p0 - take0) | 0;
      p1 = (p1 - take1) | 0;
      p2 = (p2 - take2) | 0;
      p3 = (p3 - take3) | 0;
    }
    this.state.set([s0, s1, s2, s3]);
    this.at.set([p0, p1, p2, p3]);
  }
}
