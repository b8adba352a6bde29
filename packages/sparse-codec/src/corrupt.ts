import { PruneError } from '@prune/core';

/** Where errors say that they happened, for callers who decode without a container. */
export const PLACE = 'sparse-codec';

/** The error of every stream that does not decode. */
export function corrupt(what: string, got?: string | number, wanted?: string | number): PruneError {
  return new PruneError('corrupt', { where: PLACE, what, got, wanted });
}
