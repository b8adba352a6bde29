import { PruneError } from '@prune/core';

/**
 * Runs what takes memory. JavaScript engines say by a RangeError that there is none, of the machine or of addresses;
 * that is `limit` here.
 */
export function withinMemory<T>(what: string, run: () => T): T {
  try {
    return run();
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new PruneError('limit', {
      where: 'kernels',
      what,
      got: cause.message,
      wanted: 'memory and addresses that this process can still have',
      cause,
    });
  }
}
