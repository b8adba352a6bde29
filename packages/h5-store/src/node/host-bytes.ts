import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { resolve } from 'node:path';
import { PruneError } from '@prune/core';
import { checkRange, type FileBytes } from '../read/file-bytes.js';

/** Bytes that are read at a time, and how many such pages are kept: structures are small, and lie between the data. */
const PAGE = 2 ** 13;
const PAGES = 64;

/** Bytes that are read at a time where they are used at once: data lies in the order in which it is asked for, more or less. */
const WINDOW = 2 ** 18;

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
    const fill = (bytes: Uint8Array, offset: number) => {
      if (!open) throw new PruneError('invalid-argument', { where, what: 'the store is closed' });
      return readFully(handle, bytes, offset);
    };
    return { path: absolute, file: pagedFile(fill, stat.size), close };
  } catch (error) {
    close();
    throw error;
  }
}

/** Fills `bytes` from the file at `offset`, and gives them back. */
type Fill = (bytes: Uint8Array, offset: number) => Uint8Array;

function pagedFile(fill: Fill, size: number): FileBytes {
  // The page used last is the last.
  const pages = new Map<number, Uint8Array>();
  let window = new Uint8Array();
  let windowStart = 0;
  let windowEnd = 0;
  function page(number: number): Uint8Array {
    const bytes = pages.get(number) ?? fill(new Uint8Array(Math.min(PAGE, size - number * PAGE)), number * PAGE);
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
      if (start + length > PAGE || length === 0) return fill(new Uint8Array(length), offset);
      return page(number).subarray(start, start + length);
    },
    borrow(offset, length) {
      checkRange(offset, length, size);
      if (length > WINDOW) return fill(new Uint8Array(length), offset);
      if (offset < windowStart || offset + length > windowEnd) {
        if (window.byteLength === 0) window = new Uint8Array(WINDOW);
        windowEnd = 0;
        fill(window.subarray(0, size - offset), offset);
        windowStart = offset;
        windowEnd = Math.min(offset + WINDOW, size);
      }
      return window.subarray(offset - windowStart, offset - windowStart + length);
    },
  };
}

function readFully(handle: number, bytes: Uint8Array, offset: number): Uint8Array {
  for (let done = 0; done < bytes.byteLength; ) {
    const count = readSync(handle, bytes, done, bytes.byteLength - done, offset + done);
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
