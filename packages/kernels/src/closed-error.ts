import { PruneError } from '@prune/core';

/** What a call gets that comes after `close`: every part of an engine, and the engine itself, says so alike. */
export function closedError(part: 'engine' | 'encoder' | 'Linear', tensor?: string): PruneError {
  return new PruneError('invalid-argument', { where: 'kernels', what: `the ${part} is closed`, tensor });
}
