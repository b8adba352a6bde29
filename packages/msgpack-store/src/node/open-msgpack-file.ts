import { inflateRawSync } from 'node:zlib';
import type { TensorStore } from '@prune/state-dict';
import { fileSource } from '@prune/state-dict/node';
import { type OpenMsgpackOptions, openMsgpackStore } from '../open-msgpack-store.js';

/** Opens a `.prune` file, block by block. Inflates with Node's zlib, which is faster than fflate and reads the same. */
export async function openMsgpackFile(path: string, options: OpenMsgpackOptions = {}): Promise<TensorStore> {
  return openMsgpackStore(await fileSource(path), { name: path, inflate, ...options });
}

function inflate(bytes: Uint8Array, length: number): Uint8Array {
  // zlib refuses a limit of 0; one byte more than wanted tells too much from enough.
  const data = inflateRawSync(bytes, { maxOutputLength: length + 1 });
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
