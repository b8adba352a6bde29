import { PruneError } from '../../errors/prune-error.js';
import { outputTarget } from './output-target.js';

/**
 * Throws `invalid-argument` when there is a file at `path` and `force` is not set: asked before long work is done.
 * Writing to a pipe or a device loses nothing, so these are never refused here. Throws `io` for what cannot be written,
 * such as a folder.
 */
export async function refuseExisting(path: string, force = false): Promise<void> {
  const { kind } = await outputTarget(path);
  if (kind === 'file' && !force) throw existsError(path);
}

/** The error for an output that is there already. */
export function existsError(path: string, cause?: unknown): PruneError {
  return new PruneError('invalid-argument', { where: path, what: 'exists', wanted: 'another name, or force', cause });
}
