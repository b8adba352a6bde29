import { corrupt } from './corrupt.js';

/**
 * An adaptive binary range coder (the carry scheme of LZMA's, Igor Pavlov, public domain): 32-bit range, a byte at a time,
 * probabilities of 16 bits of which 12 are used. A context learns fast while it is young: its n-th bit moves it by 1 / (n + 1.5),
 * down to 1 / 256, so that a short sequence costs little more than its own entropy.
 */
const RATE = 1 << 16;
/** floor(65,536 / (n + 1.5)) for n = 0 .. 254 */
const RATES = Int32Array.from({ length: 255 }, (_, n) => (2 * RATE) / (2 * n + 3));

/** What the coder knows of its contexts: a probability of a zero bit and an age for each. */
export class BitContexts {
  /** P(bit = 0) in 1 / 65,536. */
  readonly probability: Uint16Array;
  readonly age: Uint8Array;

  constructor(count: number) {
    this.probability = new Uint16Array(count).fill(RATE / 2);
    this.age = new Uint8Array(count);
  }

  /** Probability of zero in 1 / 4,096, never 0 or 1. */
  zero(context: number): number {
    const p = this.probability[context] >>> 4;
    return p < 2 ? 2 : Math.min(p, 4094);
  }

  learn(context: number, bit: number): void {
    const age = this.age[context];
    const p = this.probability[context];
    // Products stay below 2^32: the low 32 bits are all of them.
    const rate = RATES[age];
    this.probability[context] = bit ? p - (Math.imul(p, rate) >>> 16) : p + (Math.imul(RATE - 1 - p, rate) >>> 16);
    if (age < RATES.length - 1) this.age[context] = age + 1;
  }
}

export class BinaryEncoder {
  private low = 0;
  private range = 0xffffffff;
  private cache = 0;
  private pending = 0;
  private readonly out: number[] = [];
  private started = false;

  bit(contexts: BitContexts, context: number, bit: number): void {
    const bound = Math.imul(this.range >>> 12, contexts.zero(context)) >>> 0;
    if (bit) {
      this.low += bound;
      this.range = (this.range - bound) >>> 0;
    } else {
      this.range = bound;
    }
    contexts.learn(context, bit);
    while (this.range < 1 << 24) {
      this.range = (this.range << 8) >>> 0;
      this.shift();
    }
  }

  /** The bytes; trailing zeros are left off, the decoder reads them past the end. */
  finish(): Uint8Array {
    for (let i = 0; i < 5; i++) this.shift();
    let length = this.out.length;
    while (length > 0 && this.out[length - 1] === 0) length--;
    return Uint8Array.from(this.out.slice(0, length));
  }

  private shift(): void {
    if (this.low < 0xff000000 || this.low > 0xffffffff) {
      const carry = this.low > 0xffffffff ? 1 : 0;
      if (this.started) this.out.push((this.cache + carry) & 255);
      this.started = true;
      for (; this.pending > 0; this.pending--) this.out.push((255 + carry) & 255);
      this.cache = Math.floor(this.low / 0x1000000) & 255;
    } else {
      this.pending++;
    }
    this.low = (this.low % 0x1000000) * 256;
  }
}

export class BinaryDecoder {
  private code = 0;
  private range = 0xffffffff;
  private offset = 0;

  constructor(private readonly bytes: Uint8Array) {
    for (let i = 0; i < 4; i++) this.code = ((this.code << 8) | this.next()) >>> 0;
  }

  /**
   * What `BitContexts.zero` and `BitContexts.learn` say, written out: a model's few thousand bits are decoded before V8
   * optimizes anything, and calls are what that costs most.
   */
  bit({ probability, age }: BitContexts, context: number): number {
    const p = probability[context];
    const q = p >>> 4;
    const zero = q < 2 ? 2 : Math.min(q, 4094);
    const rate = RATES[age[context]];
    const bound = Math.imul(this.range >>> 12, zero) >>> 0;
    const bit = this.code < bound ? 0 : 1;
    if (bit === 0) {
      this.range = bound;
      probability[context] = p + (Math.imul(RATE - 1 - p, rate) >>> 16);
    } else {
      this.code = (this.code - bound) >>> 0;
      this.range = (this.range - bound) >>> 0;
      probability[context] = p - (Math.imul(p, rate) >>> 16);
    }
    if (age[context] < RATES.length - 1) age[context]++;
    while (this.range < 1 << 24) {
      this.range = (this.range << 8) >>> 0;
      this.code = ((this.code << 8) | this.next()) >>> 0;
    }
    return bit;
  }

  /** Throws `corrupt` unless the decoder has seen every byte that it was given. */
  finish(): void {
    if (this.offset < this.bytes.length) {
      throw corrupt('coded header has bytes left over', this.bytes.length - this.offset, 0);
    }
  }

  private next(): number {
    const byte = this.offset < this.bytes.length ? this.bytes[this.offset] : 0;
    this.offset++;
    return byte;
  }
}
