import type { Progress } from '@prune/core';

/** How long work is stopped and watched. */
export interface WatchOptions {
  /** Stops the work within about 50 ms, with `aborted`. The model can be used afterwards. */
  readonly signal?: AbortSignal;
  /** Called after each step. What it throws stops the work. */
  readonly onProgress?: (progress: Progress) => void;
}

/** How long work is stopped and watched whose result is known in part before it ends. */
export interface WatchResultOptions<Known> extends Pick<WatchOptions, 'signal'> {
  /**
   * Called after each step. `soFar` gives what is known of the result; it costs work, and may be called later, also
   * once the work has stopped. What the callback throws stops the work.
   */
  readonly onProgress?: (progress: Progress, soFar: () => Known) => void;
}
