import { PruneError, type PruneErrorDetails } from './prune-error.js';
import { shown } from './shown.js';

/**
 * Throws `invalid-argument` unless `fits`. For what the types forbid and callers without types do all the same: a path
 * in place of an open file, a promise, an argument too few. A text is shown as JSON, anything else by its kind.
 */
export function checkArgument(
  fits: boolean,
  details: Pick<PruneErrorDetails, 'where' | 'what' | 'wanted' | 'text'>,
  argument: unknown,
): asserts fits {
  if (fits) return;
  const got = typeof argument === 'string' ? shown(argument) : Object.prototype.toString.call(argument);
  throw new PruneError('invalid-argument', { ...details, got });
}
