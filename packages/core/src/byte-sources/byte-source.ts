import { checkArgument } from '../errors/check-argument.js';
import { PruneError } from '../errors/prune-error.js';
import { plainBytes } from './plain-bytes.js';
import { type ByteRange, readEachRange } from './read-each-range.js';

/** Bytes that can be read by range: a file, a fetched range. */
export interface RandomAccess {
  /** For messages. */
  readonly name?: string;
  readonly size: number;
  /**
   * Exactly the bytes `[offset, offset + length)`: in memory of the source's own, or of the reader's own; or in `scratch` (as long, or longer), for a
   * reader that will be done with them before it reads there again.
   */
  read(offset: number, length: number, scratch?: Uint8Array): Promise<Uint8Array>;
  /**
   * The bytes of several ranges, in their order, which ascends without overlaps. A source that is far away has this: it
   * fetches neighbours with one request, and several at once. Throws `aborted`.
   */
  readRanges?(ranges: readonly ByteRange[], signal?: AbortSignal): Promise<Uint8Array[]>;
  close?(): Promise<void>;
}

/** What every reader takes. A `Uint8Array` is one. */
export type ByteSource = Uint8Array | RandomAccess;

/**
 * The source as {@link RandomAccess}, every read checked against its size (`truncated`) and given as a plain array.
 * Throws `invalid-argument` for anything else: a path, a promise, an ArrayBuffer.
 */
export function randomAccess(source: ByteSource, name?: string): Required<RandomAccess> {
  const wanted =
    'a Uint8Array, or an object with size and read, such as fileSource of @prune/core/node gives for a path';
  checkArgument(isByteSource(source), { where: name, what: 'not a source of bytes', wanted }, source);
  const inner: RandomAccess =
    source instanceof Uint8Array
      ? { size: source.byteLength, read: async (offset, length) => source.subarray(offset, offset + length) }
      : source;
  const where = name ?? inner.name ?? 'bytes';
  function checkRange(offset: number, length: number) {
    if (offset >= 0 && length >= 0 && offset + length <= inner.size) return;
    throw new PruneError('truncated', {
      where,
      what: 'read past the end',
      got: `${inner.size} bytes`,
      wanted: `bytes ${offset} to ${offset + length}`,
    });
  }
  function checked(bytes: Uint8Array | undefined, length: number) {
    if (bytes?.byteLength !== length) {
      throw new PruneError('truncated', { where, what: 'short read', got: bytes?.byteLength ?? 0, wanted: length });
    }
    return plainBytes(bytes);
  }
  async function read(offset: number, length: number, scratch?: Uint8Array) {
    checkRange(offset, length);
    return checked(await inner.read(offset, length, scratch), length);
  }
  return {
    name: where,
    size: inner.size,
    read,
    async readRanges(ranges, signal) {
      for (const [start, end] of ranges) checkRange(start, end - start);
      if (inner.readRanges === undefined) return readEachRange({ read }, ranges, signal);
      const parts = await inner.readRanges(ranges, signal);
      return ranges.map(([start, end], i) => checked(parts[i], end - start));
    },
    close: async () => inner.close?.(),
  };
}

function isByteSource(source: unknown): boolean {
  if (source instanceof Uint8Array) return true;
  if (typeof source !== 'object' || source === null) return false;
  const { size, read } = source as Partial<RandomAccess>;
  return typeof size === 'number' && typeof read === 'function';
}

/** Where a writer puts its bytes. */
export interface ByteSink {
  /** Appends. The bytes may be reused by the caller once the promise is settled. */
  write(bytes: Uint8Array): Promise<void>;
  /** Overwrites what was written at `offset` (a header whose contents are known last). */
  writeAt(offset: number, bytes: Uint8Array): Promise<void>;
  /** Makes it visible under its final name. */
  commit(): Promise<void>;
  /** Drops everything written; safe to call twice and after a failed commit. */
  abort(): Promise<void>;
}

/** A sink in memory; `bytes()` after the writing is done. */
export function memorySink(): ByteSink & { bytes(): Uint8Array } {
  let buffer = new Uint8Array(1 << 16);
  let length = 0;
  return {
    async write(bytes) {
      if (length + bytes.byteLength > buffer.byteLength) {
        const grown = new Uint8Array(Math.max(2 * buffer.byteLength, length + bytes.byteLength));
        grown.set(buffer.subarray(0, length));
        buffer = grown;
      }
      buffer.set(bytes, length);
      length += bytes.byteLength;
    },
    async writeAt(offset, bytes) {
      if (offset + bytes.byteLength > length) throw new RangeError('writeAt past what was written');
      buffer.set(bytes, offset);
    },
    async commit() {},
    async abort() {
      length = 0;
    },
    bytes: () => buffer.subarray(0, length),
  };
}
