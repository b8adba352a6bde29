import { inBlocks, type Pacer } from '@prune/core';
import { BinaryDecoder, BinaryEncoder } from './binary-coder.js';
import { corrupt } from './corrupt.js';
import { lowsOf } from './lows-of.js';
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

/** Symbols in lines of `width`, each line of a class that has frequencies of its own. */
export interface Lines {
  readonly width: number;
  /** Class of each line, 0 and up. */
  readonly classOf: Uint8Array;
  readonly classes: number;
}

/** All symbols by the same frequencies. */
function oneLine(symbols: Symbols): Lines {
  return { width: symbols.length, classOf: new Uint8Array(1), classes: 1 };
}

/**
 * Symbols below `alphabet` by the frequencies of their class (static, order 0), as the parts of a block: the tables,
 * then chunks of 65,536. Pauses before each table and each chunk.
 */
export async function encodeSymbols(
  symbols: Symbols,
  alphabet: number,
  pacer: Pacer,
  lines = oneLine(symbols),
): Promise<Uint8Array[]> {
  const counts = Array.from({ length: lines.classes }, () => new Int32Array(alphabet));
  await inBlocks(symbols.length, pacer, (from, to) => countSymbols(symbols, lines, counts, from, to));
  const table = new BinaryEncoder();
  const frequency: Uint16Array[] = [];
  for (const own of counts) {
    await pacer.pause();
    const levels = magnitudeLevels(own);
    writeLevels(table, levels);
    frequency.push(frequencies(weightsOf(levels), TOTAL));
  }
  const tableBytes = table.finish();
  const low = frequency.map(lowsOf);
  const chunks: Uint8Array[] = [];
  for (let from = 0; from < symbols.length; from += CHUNK) {
    await pacer.pause();
    chunks.push(encodeChunk(symbols, lines, frequency, low, from, Math.min(from + CHUNK, symbols.length)));
  }
  const head: number[] = [];
  pushVarint(head, tableBytes.length);
  for (const chunk of chunks) pushVarint(head, chunk.length / 2);
  return [Uint8Array.from(head), tableBytes, ...chunks];
}

/** Adds the symbols `from .. to` to the counts of their classes. */
function countSymbols(
  symbols: Symbols,
  { width, classOf }: Lines,
  counts: readonly Int32Array[],
  from: number,
  to: number,
): void {
  for (let i = from; i < to; ) {
    const line = Math.floor(i / width);
    const own = counts[classOf[line]];
    for (const end = Math.min(to, (line + 1) * width); i < end; i++) own[symbols[i]]++;
  }
}

function encodeChunk(
  symbols: Symbols,
  { width, classOf }: Lines,
  frequency: readonly Uint16Array[],
  low: readonly Uint16Array[],
  from: number,
  to: number,
): Uint8Array {
  const coder = new RansEncoder(BITS);
  for (let i = from; i < to; ) {
    const line = Math.floor(i / width);
    const own = frequency[classOf[line]];
    const lowest = low[classOf[line]];
    for (const end = Math.min(to, (line + 1) * width); i < end; i++) coder.push(lowest[symbols[i]], own[symbols[i]]);
  }
  return coder.finish(STATES);
}

/**
 * Fills `symbols`, each below `alphabet`, from what {@link encodeSymbols} made with the same lines, with pauses before
 * each table and each chunk.
 */
export async function decodeSymbols(
  reader: ByteReader,
  symbols: Symbols,
  alphabet: number,
  pacer: Pacer,
  lines = oneLine(symbols),
): Promise<void> {
  const tableBytes = reader.varint('table', reader.bytes.length);
  const lengths: number[] = [];
  for (let from = 0; from < symbols.length; from += CHUNK) {
    lengths.push(2 * reader.varint('chunk', reader.bytes.length));
  }
  const coder = new BinaryDecoder(reader.take('table', tableBytes));
  const tables: SymbolTable[] = [];
  for (let c = 0; c < lines.classes; c++) {
    // 32 tables of 256 symbols take some 20 ms.
    await pacer.pause();
    tables.push(symbolTable(readLevels(coder, alphabet)));
  }
  coder.finish();
  for (const c of lines.classOf) {
    if (symbols.length > 0 && tables[c].symbolAt.length === 0) throw corrupt('table of frequencies is empty', 0, TOTAL);
  }
  for (const [i, length] of lengths.entries()) {
    await pacer.pause();
    const to = Math.min((i + 1) * CHUNK, symbols.length);
    decodeChunk(reader.take('chunk', length), tables, lines, symbols, i * CHUNK, to);
  }
}

interface SymbolTable {
  /** `[8,192]` the symbol of a position; empty when no symbol has a frequency. */
  readonly symbolAt: Uint16Array;
  readonly frequency: Uint16Array;
  readonly low: Uint16Array;
}

function symbolTable(levels: Uint16Array): SymbolTable {
  const frequency = frequencies(weightsOf(levels), TOTAL);
  const low = lowsOf(frequency);
  const last = frequency.length - 1;
  const symbolAt = new Uint16Array(last >= 0 ? low[last] + frequency[last] : 0);
  for (let s = 0; s <= last; s++) symbolAt.fill(s, low[s], low[s] + frequency[s]);
  return { symbolAt, frequency, low };
}

function decodeChunk(
  chunk: Uint8Array,
  tables: readonly SymbolTable[],
  { width, classOf }: Lines,
  symbols: Symbols,
  from: number,
  to: number,
): void {
  const words = wordsOf(chunk, STATES);
  // The state whose turn it is, and the other.
  let now = stateAt(words, 0);
  let then = stateAt(words, 2);
  let at = 4;
  for (let i = from; i < to; ) {
    const line = Math.floor(i / width);
    const { symbolAt, frequency, low } = tables[classOf[line]];
    const end = Math.min(to, (line + 1) * width);
    for (; i < end; i++) {
      const position = now & (TOTAL - 1);
      const symbol = symbolAt[position];
      symbols[i] = symbol;
      const next = (Math.imul(frequency[symbol], now >>> BITS) + position - low[symbol]) | 0;
      // -1 when the state needs a word. A branch here is a coin toss, and took a third of the time.
      const needs = (next - STATE_MIN) >> 31;
      now = then;
      then = (next << (needs & 16)) | (words[at] & needs);
      at = (at - needs) | 0;
    }
  }
  checkEnd(words, at, now);
  checkEnd(words, at, then);
}
