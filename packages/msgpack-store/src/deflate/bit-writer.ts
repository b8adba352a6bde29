/** Bits packed from the lowest bit up (RFC 1951, 3.1.1), taken out as whole bytes. */
export class BitWriter {
  #bytes = new Uint8Array(1 << 14);
  #length = 0;
  #bits = 0;
  #count = 0;

  /** At most 24 bits of `value`. */
  put(value: number, count: number): void {
    this.#room(4);
    this.#bits |= value << this.#count;
    this.#count += count;
    for (; this.#count >= 8; this.#count -= 8) {
      this.#bytes[this.#length++] = this.#bits;
      this.#bits >>>= 8;
    }
  }

  /** The code of each symbol, `codes[symbol]`: at most 24 bits, and in the lowest five how many they are. They are `bits` bits at most. */
  putAll(symbols: Uint16Array, codes: Uint32Array, bits: number): void {
    this.#room((bits >>> 3) + 4);
    const bytes = this.#bytes;
    let length = this.#length;
    let pending = this.#bits;
    let count = this.#count;
    for (let i = 0; i < symbols.length; i++) {
      const code = codes[symbols[i]];
      pending |= (code >>> 5) << count;
      count += code & 31;
      for (; count >= 8; count -= 8) {
        bytes[length++] = pending;
        pending >>>= 8;
      }
    }
    this.#length = length;
    this.#bits = pending;
    this.#count = count;
  }

  /** Fills the byte that was begun with zeros, then appends whole bytes. */
  bytes(bytes: Uint8Array): void {
    if (this.#count > 0) this.put(0, 8 - this.#count);
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
