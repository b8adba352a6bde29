/** The state of an rANS coder stays in [2^15, 2^31): 31 bits, so that JavaScript's int32 arithmetic holds it; 16 bits move at a time. */
export const STATE_MIN = 32768;

/**
 * Asymmetric numeral systems with ranges (J. Duda, "Asymmetric numeral systems", arXiv 1311.2540, 2013): symbols are collected,
 * then coded last to first, so that a decoder reads them first to last. Symbol i belongs to state i mod `states`.
 */
export class RansEncoder {
  // low | (frequency - 1) << 13
  private symbols = new Int32Array(1 << 14);
  private count = 0;

  /** `bits`: the sum of the frequencies is 2^bits, at most 2^13. */
  constructor(private readonly bits: number) {}

  push(low: number, frequency: number): void {
    if (this.count === this.symbols.length) {
      const grown = new Int32Array(2 * this.count);
      grown.set(this.symbols);
      this.symbols = grown;
    }
    this.symbols[this.count++] = low | ((frequency - 1) << 13);
  }

  /** Little-endian 16-bit words: the states (high word, low word), then what the decoder pulls in, in its order. */
  finish(states: number): Uint8Array {
    const { bits } = this;
    const state = new Float64Array(states).fill(STATE_MIN);
    const words = new Uint16Array(this.count + 2 * states);
    let at = words.length;
    const limit = 2 ** (31 - bits);
    for (let i = this.count - 1; i >= 0; i--) {
      const lane = i % states;
      const low = this.symbols[i] & 0x1fff;
      const frequency = (this.symbols[i] >>> 13) + 1;
      let x = state[lane];
      if (x >= frequency * limit) {
        words[--at] = x & 0xffff;
        x = Math.floor(x / 0x10000);
      }
      const whole = Math.floor(x / frequency);
      state[lane] = (whole << bits) + (x - whole * frequency) + low;
    }
    for (let lane = states - 1; lane >= 0; lane--) {
      words[--at] = state[lane] & 0xffff;
      words[--at] = state[lane] >>> 16;
    }
    return new Uint8Array(words.buffer, at * 2).slice();
  }
}
