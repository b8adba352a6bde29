import { inBlocks, type Pacer } from '@prune/core';
import { BinaryDecoder, BinaryEncoder, BitContexts } from './binary-coder.js';
import { decodeClasses, encodeClasses } from './class-coder.js';
import { corrupt } from './corrupt.js';
import { folded, unfolded } from './folded.js';
import { joined } from './joined.js';
import { codeNumber, NUMBER_CONTEXTS, readNumber } from './numbers.js';
import { decodeSymbols, encodeSymbols, MAX_ALPHABET } from './symbol-coder.js';
import type { ByteReader } from './varint.js';

/** Classes of rows by how far they spread. On mini-qa's word embeddings 8 give 1.0 %, 16 give 1.2 %, columns less their means 0.4 %. */
const CLASSES = 8;
/** Symbols and rows from which on means and classes pay for themselves. */
const LEAST_SYMBOLS = 1 << 14;
const LEAST_ROWS = 64;

/**
 * Rows of integers below `alphabet` (an embedding table on its grid), row-major: each column less its mean, each row by the frequencies of rows
 * that spread as far. A table too small for that by the frequencies of all. Gives the parts of a block.
 */
export async function encodeGridRows(
  symbols: Uint16Array,
  width: number,
  alphabet: number,
  pacer: Pacer,
): Promise<Uint8Array[]> {
  const rows = width === 0 ? 0 : symbols.length / width;
  const sums = new Float64Array(width);
  await inBlocks(rows, pacer, (from, to) => addRows(symbols, sums, from, to), width);
  const mean = Int32Array.from(sums, (sum) => Math.floor((2 * sum + rows) / (2 * rows)));
  let lowest = 0;
  let highest = 0;
  const widen = (from: number, to: number) => {
    const [low, high] = rangeOfRows(symbols, mean, from, to);
    lowest = Math.min(lowest, low);
    highest = Math.max(highest, high);
  };
  await inBlocks(rows, pacer, widen, width);
  const centred = highest - lowest + 1;
  if (symbols.length < LEAST_SYMBOLS || rows < LEAST_ROWS || centred > MAX_ALPHABET) {
    return [joined([0], []), ...(await encodeSymbols(symbols, alphabet, pacer))];
  }
  const spread = new Float64Array(rows);
  await inBlocks(rows, pacer, (from, to) => spreadOfRows(symbols, mean, spread, from, to), width);
  const classOf = spreadClasses(spread);
  const model = new BinaryEncoder();
  writeMeans(model, mean);
  const classWords = encodeClasses(model, [classOf]);
  const modelBytes = model.finish();
  const shift = mean.map((m) => m + lowest);
  const differences = new Uint16Array(symbols.length);
  await inBlocks(rows, pacer, (from, to) => subtractFromRows(symbols, shift, differences, from, to), width);
  const coded = await encodeSymbols(differences, centred, pacer, { width, classOf, classes: CLASSES });
  const head = [1, -lowest, centred, modelBytes.length, classWords.length / 2];
  return [joined(head, [modelBytes, classWords]), ...coded];
}

/** Fills `symbols` from what {@link encodeGridRows} made. */
export async function decodeGridRows(
  reader: ByteReader,
  symbols: Uint16Array,
  width: number,
  alphabet: number,
  pacer: Pacer,
): Promise<void> {
  if (reader.varint('form of rows', 1) === 0) {
    await decodeSymbols(reader, symbols, alphabet, pacer);
    return;
  }
  // The encoder's own bound: eight tables of up to 2,048 frequencies take as long as this many symbols.
  if (symbols.length < LEAST_SYMBOLS)
    throw corrupt('table is too small for classes of rows', symbols.length, `at least ${LEAST_SYMBOLS} symbols`);
  const lowest = reader.varint('lowest difference', MAX_ALPHABET);
  const centred = reader.varint('alphabet', MAX_ALPHABET);
  const modelBytes = reader.varint('model of rows', reader.bytes.length);
  const classBytes = 2 * reader.varint('classes of rows', reader.bytes.length);
  const model = new BinaryDecoder(reader.take('model of rows', modelBytes));
  const mean = readMeans(model, width, alphabet);
  const rows = width === 0 ? 0 : symbols.length / width;
  const words = reader.take('classes of rows', classBytes);
  const [classOf] = decodeClasses(model, words, [{ length: rows, count: CLASSES }]);
  model.finish();
  await decodeSymbols(reader, symbols, centred, pacer, { width, classOf, classes: CLASSES });
  const shift = mean.map((m) => m - lowest);
  await inBlocks(rows, pacer, (from, to) => shiftRows(symbols, shift, alphabet, from, to), width);
}

/** Adds `shift` to every row of `from .. to`. */
function shiftRows(symbols: Uint16Array, shift: Int32Array, alphabet: number, from: number, to: number): void {
  const width = shift.length;
  for (let r = from; r < to; r++) {
    const row = symbols.subarray(r * width, (r + 1) * width);
    for (let c = 0; c < width; c++) {
      const symbol = row[c] + shift[c];
      if (symbol < 0 || symbol >= alphabet) throw corrupt('element is off its grid', symbol, `0 to ${alphabet - 1}`);
      row[c] = symbol;
    }
  }
}

/** Adds the rows `from .. to` to the sums of the columns. */
function addRows(symbols: Uint16Array, sums: Float64Array, from: number, to: number): void {
  const width = sums.length;
  for (let r = from; r < to; r++) {
    for (let c = 0; c < width; c++) sums[c] += symbols[r * width + c];
  }
}

/** The least and the greatest difference from the means in the rows `from .. to`. */
function rangeOfRows(symbols: Uint16Array, mean: Int32Array, from: number, to: number): [low: number, high: number] {
  const width = mean.length;
  let low = 0;
  let high = 0;
  for (let r = from; r < to; r++) {
    for (let c = 0; c < width; c++) {
      const difference = symbols[r * width + c] - mean[c];
      if (difference < low) low = difference;
      if (difference > high) high = difference;
    }
  }
  return [low, high];
}

/** The sum of the distances from the means in each of the rows `from .. to`. */
function spreadOfRows(symbols: Uint16Array, mean: Int32Array, spread: Float64Array, from: number, to: number): void {
  const width = mean.length;
  for (let r = from; r < to; r++) {
    let sum = 0;
    for (let c = 0; c < width; c++) sum += Math.abs(symbols[r * width + c] - mean[c]);
    spread[r] = sum;
  }
}

function subtractFromRows(
  symbols: Uint16Array,
  shift: Int32Array,
  differences: Uint16Array,
  from: number,
  to: number,
): void {
  const width = shift.length;
  for (let r = from; r < to; r++) {
    for (let c = 0, i = r * width; c < width; c++, i++) differences[i] = symbols[i] - shift[c];
  }
}

/** Eight classes of about as many rows each, by their spread. */
function spreadClasses(spread: Float64Array): Uint8Array {
  const rows = spread.length;
  const sorted = spread.slice().sort();
  const starts = Array.from({ length: CLASSES - 1 }, (_, i) => sorted[Math.floor(((i + 1) * rows) / CLASSES)]);
  return Uint8Array.from(spread, (own) => starts.filter((start) => own >= start).length);
}

export function writeMeans(coder: BinaryEncoder, mean: Int32Array): void {
  const contexts = new BitContexts(2 * NUMBER_CONTEXTS);
  let before = 0;
  mean.forEach((m, c) => {
    codeNumber(coder, contexts, c === 0 ? 0 : NUMBER_CONTEXTS, folded(m - before));
    before = m;
  });
}

export function readMeans(coder: BinaryDecoder, width: number, alphabet: number): Int32Array {
  const contexts = new BitContexts(2 * NUMBER_CONTEXTS);
  let before = 0;
  return new Int32Array(width).map((_, c) => {
    before += unfolded(readNumber(coder, contexts, c === 0 ? 0 : NUMBER_CONTEXTS));
    if (before < 0 || before >= Math.max(alphabet, 1))
      throw corrupt('mean is off its grid', before, `0 to ${alphabet - 1}`);
    return before;
  });
}
