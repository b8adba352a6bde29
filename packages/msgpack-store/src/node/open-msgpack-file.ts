import type { RandomAccess } from '@prune/core';
import { fileSource } from '@prune/core/node';
import { type MsgpackStore, type OpenMsgpackOptions, openMsgpackStore } from '../open-msgpack-store.js';
import { basesBeside } from './bases-beside.js';
import { nodePlatform } from './node-platform.js';

/** Options of {@link openMsgpackFile}. */
export interface OpenMsgpackFileOptions extends OpenMsgpackOptions {
  /** The bytes of the file, where they have been read already: a pipe's can be read once. Closed with the store. */
  readonly source?: RandomAccess;
}

/**
 * Opens a `.prune` file, block by block. Inflates and sums with Node's own code, which is faster and reads the same.
 * Finds bases by their paths from the file's folder.
 */
export async function openMsgpackFile(
  path: string,
  { source, ...options }: OpenMsgpackFileOptions = {},
): Promise<MsgpackStore> {
  return openMsgpackStore(source ?? (await fileSource(path)), {
    name: path,
    openBase: basesBeside(path),
    ...nodePlatform,
    ...options,
  });
}
