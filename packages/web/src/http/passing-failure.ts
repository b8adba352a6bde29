import type { PruneError } from '@prune/core';

/** An attempt that failed where the next one may succeed: a lost connection, a server that is busy. */
export class PassingFailure extends Error {
  constructor(
    /** What the caller is told when there is no next attempt. */
    readonly error: PruneError,
    /** Milliseconds that the server asks us to wait (Retry-After). */
    readonly retryAfter?: number,
  ) {
    super(error.message);
  }
}
