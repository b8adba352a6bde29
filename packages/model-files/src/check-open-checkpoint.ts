import { checkArgument } from '@prune/core';

/** Throws `invalid-argument` for a path, a promise or bare tensors in place of an open checkpoint. */
export function checkOpenCheckpoint(what: string, checkpoint: unknown): void {
  const { tensors, metadata } = (checkpoint ?? {}) as { readonly tensors?: unknown; readonly metadata?: unknown };
  const { keys, get, info } = (tensors ?? {}) as Record<string, unknown>;
  const fits = [keys, get, info].every((method) => typeof method === 'function') && typeof metadata === 'object';
  const wanted = '{ tensors, metadata }, which openCheckpoint of @prune/checkpoint/node gives';
  checkArgument(fits, { where: 'model-files', what, wanted }, checkpoint);
}
