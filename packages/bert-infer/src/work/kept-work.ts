import { checkAborted } from '@prune/core';
import { type SharedWork, sharedWork } from './shared-work.js';

/**
 * Work that is done once for all callers, at the first call, and whose result is kept. It is stopped when every caller
 * that waited for it has aborted; after that, and after an error, the next call begins it anew.
 */
export function keptWork<T>(start: (signal: AbortSignal) => Promise<T>): (signal?: AbortSignal) => Promise<T> {
  let running: SharedWork<T> | undefined;
  return async (signal) => {
    checkAborted(signal);
    running ??= sharedWork(start, (done) => {
      if (!done) running = undefined;
    });
    return running.wait(signal);
  };
}
