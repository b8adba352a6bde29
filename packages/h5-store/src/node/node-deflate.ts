import { constants, deflate } from 'node:zlib';
import type { Level } from '../deflate.js';

/** Two spots of this many bytes tell data with repeats from noise. */
const SAMPLE = 2 ** 14;

/**
 * zlib in Node's thread pool. Looking for repeats takes 10 to 20 times as long as the Huffman codes alone, and in the planes of weights there are none:
 * BERT-base's column indices take 1.4 s for 10 % of their size, float16 embeddings 7 times as long for 11 % MORE. So runs of one byte only (`Z_RLE`),
 * unless a sample says that repeats save a tenth.
 */
export async function nodeDeflate(bytes: Uint8Array, level: Level): Promise<Uint8Array> {
  const strategy = (await repeats(bytes, level)) ? constants.Z_DEFAULT_STRATEGY : constants.Z_RLE;
  return compress(bytes, level, strategy);
}

async function repeats(bytes: Uint8Array, level: Level): Promise<boolean> {
  const spots = bytes.length <= 2 * SAMPLE ? [0] : [bytes.length >>> 2, bytes.length - SAMPLE];
  let [searched, plain] = [0, 0];
  for (const spot of spots) {
    const sample = bytes.subarray(spot, spot + (spots.length === 1 ? 2 * SAMPLE : SAMPLE));
    searched += (await compress(sample, level, constants.Z_DEFAULT_STRATEGY)).byteLength;
    plain += (await compress(sample, level, constants.Z_RLE)).byteLength;
  }
  return searched < 0.9 * plain;
}

function compress(bytes: Uint8Array, level: Level, strategy: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    deflate(bytes, { level, strategy, memLevel: 9 }, (error, packed) => (error ? reject(error) : resolve(packed)));
  });
}
