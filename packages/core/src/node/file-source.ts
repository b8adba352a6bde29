import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import type { RandomAccess } from '../byte-sources/byte-source.js';
import { PruneError } from '../errors/prune-error.js';
import { readRange } from './read-range.js';

/** A file as a byte source: positional reads, nothing cached. Throws `missing` or `io` with the file's path. */
export async function fileSource(path: string): Promise<Required<RandomAccess>> {
  const handle = await open(path).catch((error: NodeJS.ErrnoException) => {
    const code = error.code === 'ENOENT' ? 'missing' : 'io';
    throw new PruneError(code, {
      where: path,
      what: code === 'missing' ? 'no such file' : error.message,
      cause: error,
    });
  });
  const stat = await handle.stat();
  if (!stat.isFile()) {
    await handle.close();
    throw new PruneError('io', { where: path, what: 'not a regular file' });
  }
  return {
    name: basename(path),
    size: stat.size,
    read: (offset, length, scratch) => readRange(handle, offset, length, scratch),
    close: () => handle.close(),
  };
}
