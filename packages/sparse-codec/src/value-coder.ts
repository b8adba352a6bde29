import { corrupt } from './corrupt.js';
import { SCALE, SCALE_BITS } from './gap-tables.js';
import { checkEnd, stateAt, wordsOf } from './mask-decoder.js';
import { RansEncoder, STATE_MIN } from './rans-encoder.js';

/** A value's symbol is its magnitude and, as one plain bit below it, its sign. */
const VALUE_BITS = SCALE_BITS + 1;
/** Two coder states take turns: twice as fast as one, 4 bytes a block. */
const STATES = 2;

/** `data[from .. to]` as bytes. `frequency`: of magnitudes 1 .. 128, summing to 4,096, none 0 that occurs. */
export function encodeValues(frequency: Uint16Array, data: Int8Array, from: number, to: number): Uint8Array {
  const low = lows(frequency);
  const coder = new RansEncoder(VALUE_BITS);
  for (let p = from; p < to; p++) {
    const magnitude = Math.abs(data[p]) - 1;
    coder.push(2 * low[magnitude] + (data[p] < 0 ? frequency[magnitude] : 0), frequency[magnitude]);
  }
  return coder.finish(STATES);
}

/** 8,192 entries: value << 24 | (position - low) << 12 | frequency - 1; made once a matrix for {@link decodeValues}. */
export function valueTable(frequency: Uint16Array): Int32Array {
  const table = new Int32Array(2 * SCALE);
  let position = 0;
  for (let m = 0; m < frequency.length; m++) {
    const f = frequency[m];
    for (let i = 0; i < f; i++) table[position + i] = ((m + 1) << 24) | (i << 12) | (f - 1);
    for (let i = 0; i < f; i++) table[position + f + i] = (-(m + 1) << 24) | (i << 12) | (f - 1);
    position += 2 * f;
  }
  if (position !== 2 * SCALE) throw corrupt('magnitude table is empty', position / 2, SCALE);
  return table;
}

/** Writes `data[from .. to]`. */
export function decodeValues(table: Int32Array, block: Uint8Array, data: Int8Array, from: number, to: number): void {
  const words = wordsOf(block, STATES);
  let even = stateAt(words, 0);
  let odd = stateAt(words, 2);
  let at = 4;
  let p = from;
  for (; p + 1 < to; p += 2) {
    const one = table[even & (2 * SCALE - 1)];
    const two = table[odd & (2 * SCALE - 1)];
    data[p] = one >> 24;
    data[p + 1] = two >> 24;
    even = (Math.imul((one & 0xfff) + 1, even >>> VALUE_BITS) + ((one >>> 12) & 0xfff)) | 0;
    if (even < STATE_MIN) even = (even << 16) | words[at++];
    odd = (Math.imul((two & 0xfff) + 1, odd >>> VALUE_BITS) + ((two >>> 12) & 0xfff)) | 0;
    if (odd < STATE_MIN) odd = (odd << 16) | words[at++];
  }
  if (p < to) {
    const one = table[even & (2 * SCALE - 1)];
    data[p] = one >> 24;
    even = (Math.imul((one & 0xfff) + 1, even >>> VALUE_BITS) + ((one >>> 12) & 0xfff)) | 0;
    if (even < STATE_MIN) even = (even << 16) | words[at++];
  }
  checkEnd(words, at, even);
  checkEnd(words, at, odd);
}

function lows(frequency: Uint16Array): Uint16Array {
  const low = new Uint16Array(frequency.length);
  for (let i = 1; i < low.length; i++) low[i] = low[i - 1] + frequency[i - 1];
  return low;
}
