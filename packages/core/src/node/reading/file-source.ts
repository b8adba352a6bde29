import { constants, type Stats } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { RandomAccess } from '../../byte-sources/byte-source.js';
import { readEachRange } from '../../byte-sources/read-each-range.js';
import { PruneError } from '../../errors/prune-error.js';
import { checkPath } from '../check-path.js';
import { readRange } from './read-range.js';

/**
 * A file as a byte source: positional reads, nothing cached. Throws `missing` or `io` with the file's path; what is not
 * a regular file is `io` at once, where opening a pipe would wait for its writer.
 */
export async function fileSource(path: string): Promise<Required<RandomAccess>> {
  checkPath(path);
  checkRegular(await stat(path).catch((error) => openFailed(path, error)), path);
  // A pipe can have taken the file's name meanwhile. The flag keeps the system from waiting for its writer, and means
  // nothing to a file; Windows does not have it.
  const flags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);
  const handle = await open(path, flags).catch((error) => openFailed(path, error));
  try {
    const found = await handle.stat();
    checkRegular(found, path);
    const ranged = {
      read: (offset: number, length: number, scratch?: Uint8Array) => read(handle, path, offset, length, scratch),
    };
    return {
      name: basename(path),
      size: found.size,
      ...ranged,
      readRanges: (ranges, signal) => readEachRange(ranged, ranges, signal),
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function read(handle: FileHandle, path: string, offset: number, length: number, scratch?: Uint8Array) {
  return readRange(handle, offset, length, scratch).catch((cause: NodeJS.ErrnoException) => {
    // What the system says has a code with an errno: EIO of a broken disk, ESTALE of a file server.
    if (cause.errno === undefined) throw cause;
    throw new PruneError('io', { where: path, what: cause.message, cause });
  });
}

function checkRegular(found: Stats, where: string): void {
  if (!found.isFile()) throw new PruneError('io', { where, what: 'not a regular file' });
}

function openFailed(where: string, cause: NodeJS.ErrnoException): never {
  const missing = cause.code === 'ENOENT';
  const what = missing ? 'no such file' : cause.message;
  throw new PruneError(missing ? 'missing' : 'io', { where, what, cause });
}
