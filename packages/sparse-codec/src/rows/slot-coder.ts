import type { BinaryEncoder } from '../binary-coder.js';
import { log2 } from '../log2.js';
import { lowsOf } from '../lows-of.js';
import { frequencies, magnitudeLevels, weightsOf, writeLevels } from '../value-table.js';
import { countFilled, SLOT_BITS, SLOTS } from './slot-tables.js';

/**
 * What an encoder knows of its distributions: counts first, then for each symbol of each table its place in the coder.
 */
export class SlotCoder {
  /** Where the symbols of each table start in {@link code}. */
  readonly base: readonly number[];
  /** Of each symbol of each table, one after the other: low | (frequency - 1) << 13. */
  readonly code: Int32Array;
  /** Payload of the counted symbols, in bytes, as the tables will code them. */
  readonly bytes: number;
  /** Tables with symbols. */
  readonly filled: number;
  private readonly levels: readonly Uint16Array[];

  /** `counts`: for each table how often each symbol of its alphabet occurs. */
  constructor(counts: readonly Int32Array[]) {
    this.levels = counts.map(magnitudeLevels);
    this.filled = countFilled(this.levels);
    const base: number[] = [];
    const code = new Int32Array(counts.reduce((sum, own) => sum + own.length, 0));
    let start = 0;
    let cost = 0;
    for (const [t, levels] of this.levels.entries()) {
      base.push(start);
      const frequency = frequencies(weightsOf(levels), SLOTS);
      const low = lowsOf(frequency);
      for (let symbol = 0; symbol < frequency.length; symbol++) {
        const f = frequency[symbol];
        if (f === 0) continue;
        code[start + symbol] = low[symbol] | ((f - 1) << SLOT_BITS);
        cost += counts[t][symbol] * (4096 * SLOT_BITS - log2(f));
      }
      start += frequency.length;
    }
    this.base = base;
    this.code = code;
    this.bytes = cost / 8 / 4096;
  }

  /** Appends the levels of all tables. */
  write(coder: BinaryEncoder): void {
    for (const levels of this.levels) writeLevels(coder, levels);
  }
}

/** The bits that symbols of these counts take by their own frequencies, their table not counted. */
export function entropyBits(counts: Int32Array): number {
  let total = 0;
  for (const count of counts) total += count;
  let bits = 0;
  for (const count of counts) if (count > 0) bits += count * (log2(total) - log2(count));
  return bits / 4096;
}
