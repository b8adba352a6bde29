import { PruneError } from '@prune/core';

/** The error of every stream that does not decode. */
export function corrupt(what: string, got?: string | number, wanted?: string | number): PruneError {
  return new PruneError('corrupt', { where: 'sparse-codec', what, got, wanted });
}
