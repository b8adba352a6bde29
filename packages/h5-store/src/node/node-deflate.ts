import { constants, deflate, deflateSync, type ZlibOptions } from 'node:zlib';
import { repeatedShare } from '@prune/core';
import type { Level } from '../write/deflate.js';

/** Two spots of this many bytes tell data with repeats from noise. */
const SAMPLE = 2 ** 14;
/** Up to here a thread of the pool costs more than it takes off: three times the processor's time at 20 kB. */
const AT_ONCE = 2 ** 15;
/** What repeats must save. */
const WORTHWHILE = 0.1;

/**
 * zlib, in Node's thread pool where that pays. Looking for repeats takes 10 to 20 times as long as the Huffman codes alone, and in the planes of weights
 * there are none: BERT-base's column indices take 1.4 s for 10 % of their size, float16 embeddings 7 times as long for 11 % MORE. So runs of one byte
 * only (`Z_RLE`), unless a sample says that repeats save a tenth.
 */
export async function nodeDeflate(bytes: Uint8Array, level: Level): Promise<Uint8Array> {
  const whole = bytes.length <= 2 * SAMPLE;
  const samples = whole ? [bytes] : [spotAt(bytes, bytes.length >>> 2), spotAt(bytes, bytes.length - SAMPLE)];
  const shares = samples.map(repeatedShare);
  // Where they are too few to save what is wanted, they are not searched for ...
  if (shares.every((share) => share < WORTHWHILE)) return withRuns(bytes, level);
  const plain = await Promise.all(samples.map((sample) => withRuns(sample, level)));
  const wanted = WORTHWHILE * totalLength(plain);
  // ... nor where they are in what is short without them: the high bytes of column indices, which are a row's runs again and again.
  const most = plain.reduce((sum, { byteLength }, i) => sum + shares[i] * byteLength, 0);
  if (most > wanted) {
    const searched = await Promise.all(samples.map((sample) => withRepeats(sample, level)));
    if (totalLength(plain) - totalLength(searched) > wanted) return whole ? searched[0] : withRepeats(bytes, level);
  }
  return whole ? plain[0] : withRuns(bytes, level);
}

const spotAt = (bytes: Uint8Array, at: number) => bytes.subarray(at, at + SAMPLE);

function withRuns(bytes: Uint8Array, level: Level): Uint8Array | Promise<Uint8Array> {
  const options = optionsFor(bytes, level, constants.Z_RLE);
  return bytes.length <= AT_ONCE ? deflateSync(bytes, options) : inPool(bytes, options);
}

function withRepeats(bytes: Uint8Array, level: Level): Promise<Uint8Array> {
  return inPool(bytes, optionsFor(bytes, level, constants.Z_DEFAULT_STRATEGY));
}

/**
 * A window, a hash table and a block that suit a small array: zlib takes and clears 400 KB otherwise, for the same stream. And memory for all of it,
 * of which what is not used is never touched: every further piece is another turn in the pool.
 */
function optionsFor(bytes: Uint8Array, level: Level, strategy: number): ZlibOptions {
  const bits = Math.ceil(Math.log2(Math.max(bytes.length, 2)));
  return {
    level,
    strategy,
    windowBits: between(9, bits, 15),
    memLevel: between(1, bits - 6, 9),
    chunkSize: bytes.length + 1024,
  };
}

const between = (least: number, value: number, most: number) => Math.min(Math.max(value, least), most);

function inPool(bytes: Uint8Array, options: ZlibOptions): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    deflate(bytes, options, (error, packed) => (error ? reject(error) : resolve(packed)));
  });
}

function totalLength(arrays: readonly Uint8Array[]): number {
  return arrays.reduce((sum, { byteLength }) => sum + byteLength, 0);
}
