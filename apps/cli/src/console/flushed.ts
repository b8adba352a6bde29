/**
 * Waits until a reader has taken what was written to stdout, or until `signal` is aborted. A pipe whose reader is slow
 * makes Node keep what is written in memory, and `process.exit` would lose it.
 */
export function flushed(signal?: AbortSignal): Promise<void> {
  if (process.stdout.writableLength === 0) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      signal?.removeEventListener('abort', done);
      resolve();
    };
    signal?.addEventListener('abort', done);
    // Nothing, behind everything that waits.
    process.stdout.write('', done);
  });
}
