import { checkAborted } from '../errors/prune-error.js';

/**
 * Gives what `work` gives, or rejects with `aborted` as soon as the signal aborts, for work that cannot be told to
 * stop.
 * That work goes on behind it: its result is dropped, and an error of it is not an unhandled rejection.
 */
export async function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  work.catch(() => {});
  checkAborted(signal);
  let stop = () => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => {
      try {
        checkAborted(signal);
      } catch (error) {
        reject(error);
      }
    };
  });
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
