import type { BinaryDecoder, BinaryEncoder } from './binary-coder.js';
import { corrupt } from './corrupt.js';
import { SCALE, SCALE_BITS } from './gap-tables.js';
import { lowsOf } from './lows-of.js';
import { checkEnd, stateAt, wordsOf } from './mask-decoder.js';
import { RansEncoder, STATE_MIN } from './rans-encoder.js';
import { frequencies, magnitudeLevels, readLevels, weightsOf, writeLevels } from './value-table.js';

/** Classes there can be. */
const CLASSES = 32;

/**
 * Sequences of classes below 32 (of columns, of rows) as rANS words, each by its own frequencies, which go into `tables`. Adaptive bits took the same
 * space and 15 of the 105 ms that reading BERT-base's matrices takes.
 */
export function encodeClasses(tables: BinaryEncoder, sequences: readonly Uint8Array[]): Uint8Array {
  const coder = new RansEncoder(SCALE_BITS);
  for (const classes of sequences) {
    const counts = new Int32Array(CLASSES);
    for (const c of classes) counts[c]++;
    const levels = magnitudeLevels(counts);
    writeLevels(tables, levels);
    const frequency = frequencies(weightsOf(levels));
    const low = lowsOf(frequency);
    for (const c of classes) coder.push(low[c], frequency[c]);
  }
  return coder.finish(1);
}

/** One sequence of `length` classes below `count` for each of `sizes`. */
export function decodeClasses(
  tables: BinaryDecoder,
  bytes: Uint8Array,
  sizes: readonly { readonly length: number; readonly count: number }[],
): Uint8Array[] {
  const words = wordsOf(bytes, 1);
  let state = stateAt(words, 0);
  let at = 2;
  const sequences = sizes.map(({ length, count }) => {
    const frequency = frequencies(weightsOf(readLevels(tables, CLASSES)));
    if (length > 0 && frequency.every((f) => f === 0)) throw corrupt('table of classes is empty', 0, SCALE);
    const low = lowsOf(frequency);
    const classAt = new Uint8Array(SCALE);
    for (let c = 0; c < CLASSES; c++) {
      if (frequency[c] > 0 && c >= count) throw corrupt('unknown density class', c, `below ${count}`);
      classAt.fill(c, low[c], low[c] + frequency[c]);
    }
    const classes = new Uint8Array(length);
    for (let i = 0; i < length; i++) {
      const position = state & (SCALE - 1);
      const c = classAt[position];
      classes[i] = c;
      state = (Math.imul(frequency[c], state >>> SCALE_BITS) + position - low[c]) | 0;
      if (state < STATE_MIN) state = (state << 16) | words[at++];
    }
    return classes;
  });
  checkEnd(words, at, state);
  return sequences;
}
