import type { RandomAccess } from '@prune/core';

/** Bytes that are read ahead at first, and at most: as long as reads follow each other it doubles. */
const FIRST = 2 ** 16;
const MOST = 2 ** 18;

/** A part of the source that is being read, or was. */
interface Window {
  readonly start: number;
  readonly end: number;
  readonly bytes: Promise<Uint8Array>;
}

/**
 * Reads of a source that begin where the one before ended are answered from windows read ahead, up to what `endOf` says
 * of where a read begins; the next window is read while one is used.
 * Else each of 200 blocks is waited for, a quarter of the time of reading BERT-base. Other reads are passed on as they are. Two windows are kept, or
 * what one read needs. What cannot be read ahead is an error only of the read that asks for it. What a read gives is a view: not to be changed.
 */
export function readAhead(source: RandomAccess, endOf: (offset: number) => number): Pick<RandomAccess, 'read'> {
  let windows: Window[] = [];
  let size = FIRST;
  /** Where the last read ended. */
  let next = -1;

  function open(start: number, length: number) {
    const bytes = source.read(start, length);
    bytes.catch(() => {});
    windows.push({ start, end: start + length, bytes });
  }
  return {
    async read(offset, length) {
      const follows = offset === next;
      next = offset + length;
      if (!follows) size = FIRST;
      if (!follows || length >= MOST) {
        windows = [];
        return source.read(offset, length);
      }
      windows = windows.filter((window) => window.end > offset);
      const used = windows.filter((window) => window.start < next);
      const from = windows.at(-1)?.end ?? offset;
      const end = endOf(offset);
      // The last window is in use, or none is there: another one.
      if (used.length === windows.length && from < end) {
        open(from, Math.max(Math.min(size, end - from), next - from));
        size = Math.min(2 * size, MOST);
      }
      try {
        return await join(
          windows.filter((window) => window.start < next),
          offset,
          length,
        );
      } catch {
        return source.read(offset, length);
      }
    },
  };
}

/** The bytes `[offset, offset + length)`: a view of the one window that has them, or a copy from several. */
async function join(windows: readonly Window[], offset: number, length: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (const { start, end, bytes } of windows) {
    parts.push((await bytes).subarray(Math.max(0, offset - start), Math.min(end, offset + length) - start));
  }
  if (parts.length === 1) return parts[0];
  const joined = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
