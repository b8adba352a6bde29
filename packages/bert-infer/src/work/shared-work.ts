import { untilAborted } from '@prune/core';

/** Work that several callers wait for. */
export interface SharedWork<T> {
  /** What the work gives. Rejects with `aborted` as soon as this signal aborts, while others go on waiting. */
  wait(signal: AbortSignal | undefined): Promise<T>;
  /** Stops the work for all who wait for it. */
  stop(): void;
}

/**
 * Starts work that each caller waits for with a signal of its own. It is stopped, by the signal that it is given, once
 * nobody waits for it any more. `onEnd` runs once, before any caller goes on: when the work is done, or with false when
 * it failed or was stopped.
 */
export function sharedWork<T>(
  start: (signal: AbortSignal) => Promise<T>,
  onEnd: (done: boolean) => void,
): SharedWork<T> {
  const controller = new AbortController();
  const work = start(controller.signal);
  let waiting = 0;
  let ended = false;
  const end = (done: boolean) => {
    if (!ended) onEnd(done);
    ended = true;
  };
  work.then(
    () => end(true),
    () => end(false),
  );
  return {
    async wait(signal) {
      waiting++;
      try {
        return await untilAborted(work, signal);
      } finally {
        waiting--;
        if (waiting === 0 && !ended) {
          end(false);
          controller.abort(signal?.reason);
        }
      }
    },
    stop: () => controller.abort(),
  };
}
