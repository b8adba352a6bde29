import type { Progress } from '@prune/core';

/** How long work is stopped and watched. */
export interface WatchOptions {
  /** Stops the work within about 50 ms, with `aborted`. The model can be used afterwards. */
  readonly signal?: AbortSignal;
  /** Called after each step. What it throws stops the work. */
  readonly onProgress?: (progress: Progress) => void;
}
