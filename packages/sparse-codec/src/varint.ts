import { corrupt } from './corrupt.js';

/** Appends unsigned LEB128 numbers (7 bits a byte, low bits first) below 2^53. */
export function pushVarint(out: number[], value: number): void {
  let rest = value;
  while (rest >= 128) {
    out.push((rest % 128) | 128);
    rest = Math.floor(rest / 128);
  }
  out.push(rest);
}

/** Reads what {@link pushVarint} wrote and keeps its place; every read is checked against the end. */
export class ByteReader {
  offset = 0;

  constructor(readonly bytes: Uint8Array) {}

  byte(): number {
    if (this.offset >= this.bytes.length) throw corrupt('stream ends in its header', this.bytes.length, 'more bytes');
    return this.bytes[this.offset++];
  }

  /** A number of at most `max`; `what` names it in the error. */
  varint(what: string, max: number): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.byte();
      value += (byte & 127) * scale;
      if (value > max) throw corrupt(`${what} is too large`, value, `at most ${max}`);
      if (byte < 128) return value;
      scale *= 128;
    }
  }

  /** The next `length` bytes, a view. */
  take(what: string, length: number): Uint8Array {
    if (length > this.bytes.length - this.offset) {
      throw corrupt(`${what} runs past the end`, this.bytes.length - this.offset, `${length} bytes`);
    }
    this.offset += length;
    return this.bytes.subarray(this.offset - length, this.offset);
  }
}
