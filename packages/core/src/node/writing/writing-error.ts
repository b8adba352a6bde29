import { isPruneError, PruneError } from '../../errors/prune-error.js';

/** `io` for what the system said while `path` was being written; a {@link PruneError} stays as it is. */
export function writingError(path: string, error: unknown): PruneError {
  if (isPruneError(error)) return error;
  return new PruneError('io', {
    where: path,
    // Without Node's `, open '...'`: the temporary name says nothing to anyone.
    what: (error instanceof Error ? error.message : String(error)).replace(/, \w+( '.*'( -> '.*')?)?$/s, ''),
    cause: error,
  });
}
