import { crc32 } from '@prune/core';
import { STATE_MIN } from '../rans-encoder.js';
import type { SlotCoder } from './slot-coder.js';
import { SLOT_BITS, SLOTS } from './slot-tables.js';

/** Bytes of a group's CRC-32. */
export const CRC_BYTES = 4;

/** Collects the symbols and raw bytes of a group of rows, and makes their bytes; its memory serves all groups. */
export class GroupCoder {
  // low | (frequency - 1) << 13, of each symbol
  private readonly symbols: Int32Array;
  private count = 0;
  private readonly raw: Uint8Array;
  private rawCount = 0;
  // The words are made from the last one to the first.
  private readonly words: Uint16Array;

  /** `symbols`, `rawBytes`: the most that a group has. */
  constructor(
    private readonly coder: SlotCoder,
    symbols: number,
    rawBytes: number,
  ) {
    this.symbols = new Int32Array(symbols);
    this.words = new Uint16Array(symbols + 2);
    this.raw = new Uint8Array(rawBytes + (rawBytes & 1));
  }

  push(table: number, symbol: number): void {
    this.symbols[this.count++] = this.coder.code[this.coder.base[table] + symbol];
  }

  /** `width` symbols of one table. */
  pushField(table: number, symbols: Uint16Array, width: number): void {
    const { code } = this.coder;
    const base = this.coder.base[table];
    let { count } = this;
    for (let i = 0; i < width; i++) this.symbols[count++] = code[base + symbols[i]];
    this.count = count;
  }

  pushRaw(byte: number): void {
    this.raw[this.rawCount++] = byte;
  }

  /** The bytes of the group: raw bytes, padded to an even number, words, CRC-32. Starts a new group. */
  finish(): Uint8Array {
    const { symbols, words } = this;
    let at = words.length;
    let x = STATE_MIN;
    for (let i = this.count - 1; i >= 0; i--) {
      const low = symbols[i] & (SLOTS - 1);
      const frequency = (symbols[i] >>> SLOT_BITS) + 1;
      if (x >= frequency * 2 ** (31 - SLOT_BITS)) {
        words[--at] = x & 0xffff;
        x >>>= 16;
      }
      const whole = Math.floor(x / frequency);
      x = (whole << SLOT_BITS) + (x - whole * frequency) + low;
    }
    words[--at] = x & 0xffff;
    words[--at] = x >>> 16;
    const rawBytes = this.rawCount + (this.rawCount & 1);
    if (rawBytes > this.rawCount) this.raw[this.rawCount] = 0;
    const wordBytes = 2 * (words.length - at);
    const out = new Uint8Array(rawBytes + wordBytes + CRC_BYTES);
    out.set(this.raw.subarray(0, rawBytes));
    out.set(new Uint8Array(words.buffer, 2 * at, wordBytes), rawBytes);
    const end = out.length - CRC_BYTES;
    new DataView(out.buffer).setUint32(end, crc32(out.subarray(0, end)), true);
    this.count = 0;
    this.rawCount = 0;
    return out;
  }
}
