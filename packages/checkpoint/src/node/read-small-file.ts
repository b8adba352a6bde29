import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { checkLimit, locateError, PruneError } from '@prune/core';

/** The bytes of `name` in `folder`, or of `name.gz` inflated; `undefined` when neither is there. At most `maxBytes`. */
export async function readSmallFile(folder: string, name: string, maxBytes: number): Promise<Uint8Array | undefined> {
  for (const file of [name, `${name}.gz`]) {
    const path = join(folder, file);
    const found = await stat(path).catch(() => undefined);
    if (!found?.isFile()) continue;
    try {
      checkLimit('file is too large (bytes)', found.size, maxBytes);
      const bytes = await readFile(path);
      return plain(file === name ? bytes : await inflate(bytes, maxBytes));
    } catch (error) {
      throw locateError(error, { where: path });
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
