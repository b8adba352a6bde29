/**
 * The same bytes as a plain `Uint8Array`. Node's `Buffer` is a `Uint8Array` too, but its `slice` is a view of the same
 * memory, and what takes a slice for a copy of its own would see an offset that is not aligned.
 */
export function plainBytes(bytes: Uint8Array): Uint8Array {
  if (bytes.constructor === Uint8Array) return bytes;
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
