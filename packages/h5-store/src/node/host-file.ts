import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { resolve } from 'node:path';
import { PruneError } from '@prune/state-dict';
import type { FileBytes } from '../format/header-messages.js';
import { type H5Session, isNodeBuild, openSession } from '../h5-session.js';
import type { H5Wasm } from '../h5-wasm.js';

/** A session on a file of the host; `close` closes what {@link FileBytes} reads. Throws `missing` or `io` with the path. */
export async function hostFile(
  h5wasm: H5Wasm,
  path: string,
  where = path,
): Promise<{ session: H5Session; path: string; file: FileBytes; close(): void }> {
  if (!isNodeBuild(await h5wasm.ready)) {
    throw new PruneError('invalid-argument', {
      where,
      what: 'h5wasm sees no files of the host',
      got: "the build 'h5wasm'",
      wanted: "the build 'h5wasm/node'",
    });
  }
  const absolute = resolve(path);
  const handle = openFile(absolute, where);
  let open = true;
  function close() {
    if (open) closeSync(handle);
    open = false;
  }
  try {
    const stat = fstatSync(handle);
    if (!stat.isFile()) throw new PruneError('io', { where, what: 'not a regular file' });
    return {
      session: await openSession(h5wasm, absolute, where),
      path: absolute,
      file: {
        size: stat.size,
        read(offset, length) {
          if (!(offset >= 0 && length >= 0 && offset + length <= stat.size)) throw new RangeError('past the end');
          const bytes = new Uint8Array(length);
          if (readSync(handle, bytes, 0, length, offset) !== length) throw new RangeError('short read');
          return bytes;
        },
      },
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

function openFile(path: string, where: string): number {
  try {
    return openSync(path, 'r');
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    const what = missing ? 'no such file' : (cause as Error).message;
    throw new PruneError(missing ? 'missing' : 'io', { where, what, cause });
  }
}
