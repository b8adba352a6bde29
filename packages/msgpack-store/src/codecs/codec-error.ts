import { isPruneError, PruneError } from '@prune/core';

/**
 * What a codec threw, wrapped as `io` that names the codec and has the error as its cause. A PruneError is kept: it
 * says more, and its reader adds the file and the tensor.
 */
export function codecError(codec: string, error: unknown): PruneError {
  if (isPruneError(error)) return error;
  const what = `codec "${codec}" failed: ${error instanceof Error ? error.message : String(error)}`;
  return new PruneError('io', { what, cause: error });
}
