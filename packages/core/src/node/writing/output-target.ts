import { readlink, realpath, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { PruneError } from '../../errors/prune-error.js';
import { checkPath } from '../check-path.js';
import { writingError } from './writing-error.js';

/** What lies where a file is to be written. */
export type OutputTarget =
  /** Nothing yet. `path` is the name to create, links followed. */
  | { readonly kind: 'new'; readonly path: string }
  /** A file that the new one replaces. `path` is the file itself, links followed. */
  | { readonly kind: 'file'; readonly path: string; readonly mode: number; readonly uid: number; readonly gid: number }
  /** A FIFO or a character device: it takes bytes and keeps none, so there is nothing to replace. */
  | { readonly kind: 'stream'; readonly path: string };

/** Links that are followed one by one: as many as Linux follows. */
const MAX_LINKS = 40;

/**
 * Follows links to what writing to `path` would change. Throws `io` for a folder, a socket, a block device and a loop
 * of links.
 */
export async function outputTarget(path: string): Promise<OutputTarget> {
  checkPath(path);
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw writingError(path, error);
  });
  if (found === undefined) return { kind: 'new', path: await dangling(path) };
  // Before any link is followed by name: /dev/stdout leads to `pipe:[1234]`, which is not a path.
  if (found.isFIFO() || found.isCharacterDevice()) return { kind: 'stream', path };
  if (!found.isFile()) {
    throw new PruneError('io', {
      where: path,
      what: 'is not a file',
      got: found.isDirectory() ? 'a folder' : found.isSocket() ? 'a socket' : 'a block device',
      wanted: 'a file, a pipe or a character device',
    });
  }
  const { mode, uid, gid } = found;
  const real = await realpath(path).catch((error) => {
    throw writingError(path, error);
  });
  return { kind: 'file', path: real, mode: mode & 0o777, uid, gid };
}

/** The name that the last link of a chain has for a file that is not there. */
async function dangling(path: string): Promise<string> {
  let name = resolve(path);
  for (let links = 0; links < MAX_LINKS; links++) {
    const next = await readlink(name).catch(() => undefined);
    if (next === undefined) return name;
    name = resolve(dirname(name), next);
  }
  throw new PruneError('io', { where: path, what: 'too many symbolic links' });
}

/** The error for a pipe or a device where a file is wanted: one that is written out of order, or read by others. */
export function streamError(where: string): PruneError {
  return new PruneError('invalid-argument', { where, what: 'is a pipe or a device', wanted: 'a file' });
}
