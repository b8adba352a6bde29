import type { OpenCheckpointOptions } from '@prune/checkpoint/node';
import { isPruneError, PruneError } from '@prune/core';
import { openStore } from '@prune/model-files/node';
import { openUrl } from './open-url.js';

/**
 * Opens a checkpoint with `open`, which is `openCheckpoint` or `openStagedCheckpoint`. Throws what that throws, and
 * `invalid-argument` for a store, which is packed already.
 */
export async function openPackable<T>(
  open: (path: string, options: OpenCheckpointOptions) => Promise<T>,
  path: string,
  options: Pick<OpenCheckpointOptions, 'signal' | 'stateDict'>,
): Promise<T> {
  try {
    return await open(path, options);
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
  const store = await openStore(path, { ...options, openUrl }).catch(() => undefined);
  await store?.close();
  return store !== undefined;
}
