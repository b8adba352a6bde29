/** Synchronous reads of a file. */
export interface FileBytes {
  readonly size: number;
  /** Where the bytes begin in the whole file: past its user block. Default 0. */
  readonly base?: number;
  /** Exactly these bytes, not to be changed; throws a RangeError at the end of the file. */
  read(offset: number, length: number): Uint8Array;
  /** The same, valid until the next call: for bytes that are used at once, in memory that is used again and again. */
  borrow(offset: number, length: number): Uint8Array;
}

/** Bytes in memory as a file. */
export function memoryBytes({ buffer, byteOffset, byteLength: size }: Uint8Array): FileBytes {
  // Not the array itself: a Buffer's slices are no copies.
  const bytes = new Uint8Array(buffer, byteOffset, size);
  function read(offset: number, length: number): Uint8Array {
    checkRange(offset, length, size);
    return bytes.subarray(offset, offset + length);
  }
  return { size, read, borrow: read };
}

/** Throws a RangeError unless `[offset, offset + length)` lies within `size`; NaN does not. */
export function checkRange(offset: number, length: number, size: number): void {
  if (!(offset >= 0 && length >= 0 && offset + length <= size)) throw new RangeError('past the end');
}

/** A view of the bytes' numbers. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
