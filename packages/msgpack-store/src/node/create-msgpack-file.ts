import type { Codec, TensorStoreWriter } from '@prune/core';
import { atomicFile, refuseExisting } from '@prune/core/node';
import { codecList } from '../codecs/codec-list.js';
import { createMsgpackStore } from '../create-msgpack-store.js';
import { nodePlatform } from './node-platform.js';

/** Options of {@link createMsgpackFile}. */
export interface CreateMsgpackFileOptions {
  /** Asked in their order for each tensor. Default: `codecList()`. */
  readonly codecs?: readonly Codec[];
  /** Replace the file that is there. Default false: refuse. */
  readonly force?: boolean;
}

/**
 * Starts a `.prune` file; it appears under `path` when `finish` succeeds. Throws `invalid-argument` when there is a
 * file and `force` is not set, and for a pipe or a device, since the head of a container is written last; `io` with the
 * path, and what `createMsgpackStore` throws.
 */
export async function createMsgpackFile(
  path: string,
  { codecs = codecList(undefined, nodePlatform), force }: CreateMsgpackFileOptions = {},
): Promise<TensorStoreWriter> {
  await refuseExisting(path, force);
  const sink = await atomicFile(path, { replace: force ?? false, stream: false });
  try {
    return await createMsgpackStore(sink, { name: path, codecs, ...nodePlatform });
  } catch (error) {
    await sink.abort();
    throw error;
  }
}
