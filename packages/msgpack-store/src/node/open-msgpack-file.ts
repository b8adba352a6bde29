import * as zlib from 'node:zlib';
import type { RandomAccess, TensorStore } from '@prune/core';
import { fileSource } from '@prune/core/node';
import { type OpenMsgpackOptions, openMsgpackStore } from '../open-msgpack-store.js';
import { nodeCrc32 } from './node-crc32.js';

/** Options of {@link openMsgpackFile}. */
export interface OpenMsgpackFileOptions extends OpenMsgpackOptions {
  /** The bytes of the file, where they have been read already: a pipe's can be read once. Closed with the store. */
  readonly source?: RandomAccess;
}

/** Opens a `.prune` file, block by block. Inflates and sums with Node's zlib, which is faster and reads the same. */
export async function openMsgpackFile(
  path: string,
  { source, ...options }: OpenMsgpackFileOptions = {},
): Promise<TensorStore> {
  return openMsgpackStore(source ?? (await fileSource(path)), { name: path, inflate, crc32: nodeCrc32, ...options });
}

// At once: inflating the next blocks on the threads of Node's pool meanwhile took as long on two cores (128 ms for BERT-base, 127 ms so), and a seventh
// more of the processor.
function inflate(bytes: Uint8Array, length: number): Uint8Array {
  // One byte more than wanted tells too much from enough. All in one chunk, of zlib's least size or more: many chunks are held twice when they are joined.
  const data = zlib.inflateRawSync(bytes, { maxOutputLength: length + 1, chunkSize: Math.max(64, length + 1) });
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
