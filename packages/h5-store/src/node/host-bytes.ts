import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { resolve } from 'node:path';
import { PruneError } from '@prune/state-dict';
import { checkRange, type FileBytes } from '../format/file-bytes.js';

/** Bytes that are read at a time, and how many such pages are kept: structures are small, and lie beside each other. */
const PAGE = 2 ** 16;
const PAGES = 8;

/** A file of the host, read by the page. Throws `missing` or `io` with the path; `close` may be called twice. */
export function hostBytes(path: string, where = path): { path: string; file: FileBytes; close(): void } {
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
    return { path: absolute, file: pagedFile(handle, stat.size), close };
  } catch (error) {
    close();
    throw error;
  }
}

function pagedFile(handle: number, size: number): FileBytes {
  // The page used last is the last.
  const pages = new Map<number, Uint8Array>();
  function page(number: number): Uint8Array {
    const bytes = pages.get(number) ?? readAt(handle, number * PAGE, Math.min(PAGE, size - number * PAGE));
    pages.delete(number);
    pages.set(number, bytes);
    if (pages.size > PAGES) pages.delete(pages.keys().next().value!);
    return bytes;
  }
  return {
    size,
    read(offset, length) {
      checkRange(offset, length, size);
      const number = Math.floor(offset / PAGE);
      const start = offset - number * PAGE;
      if (start + length > PAGE || length === 0) return readAt(handle, offset, length);
      return page(number).subarray(start, start + length);
    },
  };
}

function readAt(handle: number, offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const count = readSync(handle, bytes, done, length - done, offset + done);
    if (count === 0) throw new RangeError('the file has become shorter');
    done += count;
  }
  return bytes;
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
