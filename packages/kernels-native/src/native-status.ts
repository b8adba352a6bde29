import { PruneError } from '@prune/core';
import { STATUSES } from './addon.js';

/** Throws the error of a status that is not `ok`. `what`: what it is about. */
export function checkStatus(status: number, what: string, tensor?: string): void {
  const name = STATUSES[status];
  if (name === 'ok') return;
  if (name === 'no-memory') {
    throw new PruneError('limit', {
      where: 'kernels',
      what,
      tensor,
      got: 'no memory',
      wanted: 'memory that this process can still have',
    });
  }
  if (name === 'no-thread') {
    throw new PruneError('io', { where: 'kernels', what: 'a thread did not start', got: what, wanted: 'a thread' });
  }
  // Everything that the C side checks was checked before, so this is a bug of this package.
  throw new PruneError('mismatch', {
    where: 'kernels',
    what: `${what}: the native code refused it`,
    tensor,
    got: name,
  });
}
