import { isPruneError, PruneError } from '@prune/core';
import { PLACE } from '../corrupt.js';

/**
 * An error of this package without its place, so that the container that called the codec can name the file. Errors of
 * the container's own reads have their place already and stay.
 */
export function withoutPlace(error: unknown): unknown {
  if (!isPruneError(error) || error.where !== PLACE) return error;
  const { code, tensor, what, got, wanted } = error;
  return new PruneError(code, { tensor, what, got, wanted, cause: error });
}
