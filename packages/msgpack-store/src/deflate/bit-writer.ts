/** Bits packed from the lowest bit up (RFC 1951, 3.1.1), taken out as whole bytes. */
export class BitWriter {
  #bytes = new Uint8Array(1 << 14);
  #length = 0;
  #bits = 0;
  #count = 0;

  /** At most 16 bits of `value`. */
  put(value: number, count: number): void {
    this.#bits |= value << this.#count;
    this.#count += count;
    if (this.#count < 16) return;
    this.#room(2);
    this.#bytes[this.#length++] = this.#bits;
    this.#bytes[this.#length++] = this.#bits >>> 8;
    this.#bits >>>= 16;
    this.#count -= 16;
  }

  /** Fills the byte that was begun with zeros, then appends whole bytes. */
  bytes(bytes: Uint8Array): void {
    if (this.#count % 8 !== 0) this.put(0, 8 - (this.#count % 8));
    if (this.#count === 8) {
      this.#room(1);
      this.#bytes[this.#length++] = this.#bits;
      this.#bits = 0;
      this.#count = 0;
    }
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** The whole bytes written since the last call; bits of a byte that was begun stay. */
  take(): Uint8Array {
    const taken = this.#bytes.slice(0, this.#length);
    this.#length = 0;
    return taken;
  }

  #room(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length + count));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}
