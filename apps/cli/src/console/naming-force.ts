import { isPruneError, PruneError } from '@prune/core';

/** The error with the libraries' option `force` called `--force`, as it is typed. */
export function namingForce(error: unknown): unknown {
  if (!isPruneError(error) || typeof error.wanted !== 'string') return error;
  const { code, where, what, got, tensor, cause, wanted } = error;
  if (!wanted.endsWith(' or force')) return error;
  return new PruneError(code, { where, what, got, tensor, cause, wanted: wanted.replace(/force$/, '--force') });
}
