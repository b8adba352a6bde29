import { checkAborted, PruneError, type RandomAccess, readEachRange } from '@prune/core';

/** What {@link blobSource} reads: the part of a `Blob` or `File` that is used here. */
export interface BlobLike {
  readonly size: number;
  /** A `File` has one. */
  readonly name?: string;
  slice(start: number, end: number): { arrayBuffer(): Promise<ArrayBuffer> };
}

/**
 * A `Blob` or `File` as a byte source: what a page gets from a file input, or Node from `openAsBlob`. Nothing is kept
 * in memory. Reads throw `io` when the file has changed or gone since it was chosen; what is not a Blob is
 * `invalid-argument`.
 */
export function blobSource(blob: BlobLike): Required<RandomAccess> {
  if (typeof blob?.slice !== 'function' || typeof blob.size !== 'number') {
    throw new PruneError('invalid-argument', {
      where: 'blobSource',
      what: 'not a Blob',
      got: Object.prototype.toString.call(blob),
      wanted: 'a Blob or a File',
    });
  }
  const name = blob.name || 'blob';
  async function read(offset: number, length: number): Promise<Uint8Array> {
    if (!(offset >= 0 && length >= 0 && offset + length <= blob.size)) {
      throw new PruneError('truncated', {
        where: name,
        what: 'read past the end',
        got: `${blob.size} bytes`,
        wanted: `bytes ${offset} to ${offset + length}`,
      });
    }
    let buffer: ArrayBuffer;
    try {
      buffer = await blob.slice(offset, offset + length).arrayBuffer();
    } catch (cause) {
      const { name: kind, message } = cause as Error;
      // What browsers and Node say of a file that is not as it was when it was chosen.
      const what =
        kind === 'NotReadableError' ? `the file has changed or gone since it was chosen: ${message}` : message;
      throw new PruneError('io', { where: name, what, cause });
    }
    if (buffer.byteLength === length) return new Uint8Array(buffer);
    throw new PruneError('io', {
      where: name,
      what: 'the file has changed since it was chosen',
      got: buffer.byteLength,
      wanted: length,
    });
  }
  return {
    name,
    size: blob.size,
    read,
    async readRanges(ranges, signal) {
      checkAborted(signal);
      return readEachRange({ read }, ranges, signal);
    },
    close: async () => {},
  };
}
