import * as zlib from 'node:zlib';
import type { CodecListOptions } from '../codecs/codec-list.js';
import type { ContainerOptions } from '../container/open-container.js';
import { sha256Of } from '../running-sha256.js';
import { nodeCrc32 } from './node-crc32.js';
import { nodeSha256 } from './node-sha256.js';

/** What Node does faster than JavaScript, for reading and for writing. */
export const nodePlatform = {
  inflate,
  crc32: nodeCrc32,
  createSha256: nodeSha256,
  sha256: sha256Of(nodeSha256),
} satisfies ContainerOptions & CodecListOptions;

/**
 * Bytes from which on Node's thread pool inflates, because the event loop would wait 10 ms or more. Smaller blocks are
 * inflated at once: on two cores the pool took as long for all of BERT-base (127 and 128 ms), and a seventh more of the
 * processor.
 */
const LARGE = 2 ** 22;

function inflate(bytes: Uint8Array, length: number): Uint8Array | Promise<Uint8Array> {
  // One byte more than wanted tells too much from enough. All in one chunk, of zlib's least size or more: many chunks
  // are held twice when they are joined.
  const options = { maxOutputLength: length + 1, chunkSize: Math.max(64, length + 1) };
  if (length < LARGE) return bytesOf(zlib.inflateRawSync(bytes, options));
  return new Promise((resolve, reject) => {
    zlib.inflateRaw(bytes, options, (error, data) => (error ? reject(error) : resolve(bytesOf(data))));
  });
}

function bytesOf(data: Buffer): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
