import * as zlib from 'node:zlib';
import type { RandomAccess } from '@prune/core';
import { fileSource } from '@prune/core/node';
import { type MsgpackStore, type OpenMsgpackOptions, openMsgpackStore } from '../open-msgpack-store.js';
import { nodeCrc32 } from './node-crc32.js';
import { nodeSha256 } from './node-sha256.js';

/** Options of {@link openMsgpackFile}. */
export interface OpenMsgpackFileOptions extends OpenMsgpackOptions {
  /** The bytes of the file, where they have been read already: a pipe's can be read once. Closed with the store. */
  readonly source?: RandomAccess;
}

/** Opens a `.prune` file, block by block. Inflates and sums with Node's zlib, which is faster and reads the same. */
export async function openMsgpackFile(
  path: string,
  { source, ...options }: OpenMsgpackFileOptions = {},
): Promise<MsgpackStore> {
  return openMsgpackStore(source ?? (await fileSource(path)), {
    name: path,
    inflate,
    crc32: nodeCrc32,
    createSha256: nodeSha256,
    ...options,
  });
}

/**
 * Bytes from which on Node's thread pool inflates, because the event loop would wait 10 ms or more. Smaller blocks are
 * inflated at once: on two cores the pool took as long for all of BERT-base (127 and 128 ms), and a seventh more of the
 * processor.
 */
const LARGE = 2 ** 22;

function inflate(bytes: Uint8Array, length: number): Uint8Array | Promise<Uint8Array> {
  // One byte more than wanted tells too much from enough. All in one chunk, of zlib's least size or more: many chunks are held twice when they are joined.
  const options = { maxOutputLength: length + 1, chunkSize: Math.max(64, length + 1) };
  if (length < LARGE) return bytesOf(zlib.inflateRawSync(bytes, options));
  return new Promise((resolve, reject) => {
    zlib.inflateRaw(bytes, options, (error, data) => (error ? reject(error) : resolve(bytesOf(data))));
  });
}

function bytesOf(data: Buffer): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
