import { type OpenStagedCheckpoint, openStagedCheckpoint } from '@prune/checkpoint/node';
import { isPruneError, PruneError } from '@prune/core';
import { openStore } from '@prune/model-files/node';

/**
 * Opens a checkpoint that is to be packed. Throws what `openStagedCheckpoint` throws, and `invalid-argument` for a store, which
 * is packed already.
 */
export async function openPackable(
  path: string,
  options: { readonly signal?: AbortSignal },
): Promise<OpenStagedCheckpoint> {
  try {
    return await openStagedCheckpoint(path, options);
  } catch (error) {
    if (!isPruneError(error, 'unsupported') || !(await isStore(path, options))) throw error;
    throw new PruneError('invalid-argument', {
      where: path,
      what: 'already packed',
      wanted:
        'a checkpoint (prune convert copies a packed model into another form, prune unpack makes a checkpoint of it)',
      cause: error,
    });
  }
}

/** A pipe has been read by then, and is not one. */
async function isStore(path: string, options: { readonly signal?: AbortSignal }): Promise<boolean> {
  const store = await openStore(path, options).catch(() => undefined);
  await store?.close();
  return store !== undefined;
}
