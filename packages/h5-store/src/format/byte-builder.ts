import { PruneError } from '@prune/core';

const encoder = new TextEncoder();

/** Little-endian bytes, appended one field at a time; every number is checked against the width of its field. */
export class ByteBuilder {
  #bytes = new Uint8Array(256);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  u8(value: number): this {
    return this.#number(value, 1);
  }
  u16(value: number): this {
    return this.#number(value, 2);
  }
  u32(value: number): this {
    return this.#number(value, 4);
  }
  u64(value: number | bigint): this {
    const at = this.#grow(8);
    this.#view.setBigUint64(at, BigInt(value), true);
    return this;
  }
  text(value: string): this {
    return this.append(encoder.encode(value));
  }
  append(value: Uint8Array): this {
    const at = this.#grow(value.byteLength);
    this.#bytes.set(value, at);
    return this;
  }
  zeros(count: number): this {
    this.#grow(count);
    return this;
  }
  /** An unsigned integer of 1, 2 or 4 bytes. */
  #number(value: number, width: 1 | 2 | 4): this {
    if (!(Number.isInteger(value) && value >= 0 && value < 2 ** (8 * width))) {
      throw new PruneError('limit', {
        where: 'h5-store',
        what: 'an HDF5 field is too small for its value',
        got: value,
        wanted: `less than ${2 ** (8 * width)}`,
      });
    }
    const at = this.#grow(width);
    if (width === 1) this.#view.setUint8(at, value);
    else if (width === 2) this.#view.setUint16(at, value, true);
    else this.#view.setUint32(at, value, true);
    return this;
  }
  #grow(count: number): number {
    const at = this.#length;
    this.#length += count;
    if (this.#length > this.#bytes.byteLength) {
      const grown = new Uint8Array(Math.max(2 * this.#bytes.byteLength, this.#length));
      grown.set(this.#bytes.subarray(0, at));
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    return at;
  }
  /** What was appended: a view, valid until the next append. */
  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }
}
