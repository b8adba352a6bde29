import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { checkLimit, isPruneError, locateError, PruneError } from '@prune/core';

/** A small file, read whole. */
export interface SmallFile {
  /** The file that was read, which may be a `.gz`. */
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** `name` in `folder`, or `name.gz` inflated; `undefined` when neither is there. At most `maxBytes`. */
export async function readSmallFile(folder: string, name: string, maxBytes: number): Promise<SmallFile | undefined> {
  for (const file of [name, `${name}.gz`]) {
    const path = join(folder, file);
    const found = await stat(path).catch(() => undefined);
    if (!found?.isFile()) continue;
    try {
      checkLimit('file is too large (bytes)', found.size, maxBytes);
      const bytes = await readFile(path);
      return { path, bytes: plain(file === name ? bytes : await inflate(bytes, maxBytes)) };
    } catch (error) {
      if (isPruneError(error)) throw locateError(error, { where: path });
      throw new PruneError('io', { where: path, what: (error as Error).message, cause: error });
    }
  }
  return undefined;
}

async function inflate(bytes: Uint8Array, maxBytes: number): Promise<Uint8Array> {
  try {
    return await promisify<Uint8Array, object, Uint8Array>(gunzip)(bytes, { maxOutputLength: maxBytes });
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? 'limit' : 'corrupt';
    throw new PruneError(code, { what: 'gzipped file does not inflate', wanted: `at most ${maxBytes} bytes`, cause });
  }
}

/** A Uint8Array of its own: a Buffer compares and serializes differently, and may be a view of Node's pool. */
function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}
