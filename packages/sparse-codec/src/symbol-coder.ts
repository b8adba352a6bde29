import { BinaryDecoder, BinaryEncoder } from './binary-coder.js';
import { corrupt } from './corrupt.js';
import { checkEnd, stateAt, wordsOf } from './mask-decoder.js';
import { RansEncoder, STATE_MIN } from './rans-encoder.js';
import { frequencies, magnitudeLevels, readLevels, weightsOf, writeLevels } from './value-table.js';
import { type ByteReader, pushVarint } from './varint.js';

/** Symbols of one distribution: bytes, or up to {@link MAX_ALPHABET} integers. */
export type Symbols = Uint8Array | Uint16Array;

export const MAX_ALPHABET = 2048;

/** Probabilities of 13 bits: 2,048 symbols of at least 1 / 8,192 each leave three quarters to be given by frequency. */
const BITS = 13;
const TOTAL = 1 << BITS;
/** Symbols a chunk: what an encoder holds back at a time. */
const CHUNK = 1 << 16;
const STATES = 2;

/** Symbols below `alphabet` by their frequencies (static, order 0): the table, then chunks of 65,536. */
export function encodeSymbols(symbols: Symbols, alphabet: number): Uint8Array[] {
  const counts = new Int32Array(alphabet);
  for (let i = 0; i < symbols.length; i++) counts[symbols[i]]++;
  const levels = magnitudeLevels(counts);
  const frequency = frequencies(weightsOf(levels), TOTAL);
  const low = new Uint16Array(alphabet);
  for (let i = 1; i < alphabet; i++) low[i] = low[i - 1] + frequency[i - 1];
  const table = new BinaryEncoder();
  writeLevels(table, levels);
  const tableBytes = table.finish();
  const chunks: Uint8Array[] = [];
  for (let from = 0; from < symbols.length; from += CHUNK) {
    const coder = new RansEncoder(BITS);
    const to = Math.min(from + CHUNK, symbols.length);
    for (let i = from; i < to; i++) coder.push(low[symbols[i]], frequency[symbols[i]]);
    chunks.push(coder.finish(STATES));
  }
  const head: number[] = [];
  pushVarint(head, tableBytes.length);
  for (const chunk of chunks) pushVarint(head, chunk.length / 2);
  return [Uint8Array.from(head), tableBytes, ...chunks];
}

/** Fills `symbols`, each below `alphabet`, from what {@link encodeSymbols} made. */
export function decodeSymbols(reader: ByteReader, symbols: Symbols, alphabet: number): void {
  const tableBytes = reader.varint('table', reader.bytes.length);
  const lengths: number[] = [];
  for (let from = 0; from < symbols.length; from += CHUNK) {
    lengths.push(2 * reader.varint('chunk', reader.bytes.length));
  }
  const coder = new BinaryDecoder(reader.take('table', tableBytes));
  const frequency = frequencies(weightsOf(readLevels(coder, alphabet)), TOTAL);
  coder.finish();
  const symbolAt = new Uint16Array(TOTAL);
  const low = new Uint16Array(alphabet);
  let position = 0;
  for (let s = 0; s < alphabet; s++) {
    low[s] = position;
    symbolAt.fill(s, position, position + frequency[s]);
    position += frequency[s];
  }
  if (symbols.length > 0 && position !== TOTAL) throw corrupt('table of frequencies is empty', position, TOTAL);
  lengths.forEach((length, i) => {
    const to = Math.min((i + 1) * CHUNK, symbols.length);
    decodeChunk(reader.take('chunk', length), symbolAt, frequency, low, symbols, i * CHUNK, to);
  });
}

function decodeChunk(
  chunk: Uint8Array,
  symbolAt: Uint16Array,
  frequency: Uint16Array,
  low: Uint16Array,
  symbols: Symbols,
  from: number,
  to: number,
): void {
  const words = wordsOf(chunk, STATES);
  let even = stateAt(words, 0);
  let odd = stateAt(words, 2);
  let at = 4;
  for (let i = from; i < to; i += 2) {
    const p = even & (TOTAL - 1);
    const s = symbolAt[p];
    symbols[i] = s;
    even = (Math.imul(frequency[s], even >>> BITS) + p - low[s]) | 0;
    if (even < STATE_MIN) even = (even << 16) | words[at++];
    if (i + 1 === to) break;
    const q = odd & (TOTAL - 1);
    const t = symbolAt[q];
    symbols[i + 1] = t;
    odd = (Math.imul(frequency[t], odd >>> BITS) + q - low[t]) | 0;
    if (odd < STATE_MIN) odd = (odd << 16) | words[at++];
  }
  checkEnd(words, at, even);
  checkEnd(words, at, odd);
}
