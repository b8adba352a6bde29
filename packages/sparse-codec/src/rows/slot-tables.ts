import { corrupt } from '../corrupt.js';
import { lowsOf } from '../lows-of.js';
import { MAX_ALPHABET } from '../symbol-coder.js';
import { frequencies, weightsOf } from '../value-table.js';

/** Probabilities of 12 bits: those of 13 take 0.2 % less of mini-qa, and twice the memory of a cache that is full. */
export const SLOT_BITS = 12;
export const SLOTS = 1 << SLOT_BITS;

/** What a table takes in memory while rows are decoded: a slot's frequency and place in 4 bytes, its symbol in 2. */
export const TABLE_BYTES = 6 * SLOTS;

/**
 * Static distributions, ready to be decoded with. One load gives everything that the next state needs, so that the
 * chain of dependent instructions of a symbol is short; the symbol itself is not on that chain.
 */
export interface SlotTables {
  /**
   * Of slot `s` of table `t`, at `base[t] + s`: frequency << 12 | how far the slot lies above the first of its symbol.
   */
  readonly slots: Uint32Array;
  /** The symbol of each slot. */
  readonly symbolAt: Uint16Array;
  /** Where each table starts; -1 for a table without symbols. */
  readonly base: Int32Array;
}

/**
 * The tables of some sequences of levels (SPEC.md, "Levels and frequencies"). Only tables with symbols take memory;
 * throws `corrupt` when that is more than `room` bytes.
 */
export function slotTables(levels: readonly Uint16Array[], room: number): SlotTables {
  const filled = countFilled(levels);
  if (filled * TABLE_BYTES > room) {
    throw corrupt('tables of frequencies expand too far', filled * TABLE_BYTES, `at most ${Math.max(0, room)}`);
  }
  const slots = new Uint32Array(filled * SLOTS);
  const symbolAt = new Uint16Array(filled * SLOTS);
  const base = new Int32Array(levels.length).fill(-1);
  let start = 0;
  for (const [t, own] of levels.entries()) {
    if (!isFilled(own)) continue;
    base[t] = start;
    const frequency = frequencies(weightsOf(own), SLOTS);
    const low = lowsOf(frequency);
    for (let symbol = 0; symbol < frequency.length; symbol++) {
      const f = frequency[symbol];
      const from = start + low[symbol];
      for (let i = 0; i < f; i++) slots[from + i] = (f << SLOT_BITS) | i;
      symbolAt.fill(symbol, from, from + f);
    }
    start += SLOTS;
  }
  return { slots, symbolAt, base };
}

/** How many tables have a symbol. */
export function countFilled(levels: readonly Uint16Array[]): number {
  return levels.filter(isFilled).length;
}

function isFilled(levels: Uint16Array): boolean {
  return levels.some((level) => level > 0);
}

/** The most symbols of a table. */
export const MAX_SYMBOLS = MAX_ALPHABET;
