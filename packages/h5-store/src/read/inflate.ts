import { unzlibSync } from 'fflate';

/**
 * The `length` bytes that a zlib stream (RFC 1950) holds, in memory of their own. Throws anything for a stream that is broken, checksum included, or holds
 * more; may give fewer.
 */
export type Inflate = (bytes: Uint8Array, length: number) => Uint8Array;

/** {@link Inflate} on another thread, for several chunks at once; `bytes` does not change while a promise is open. */
export type InflateBeside = (bytes: Uint8Array, length: number) => Promise<Uint8Array>;

/** {@link Inflate} in JavaScript. One byte more than wanted, because fflate drops what does not fit in silence; nor does it look at the checksum. */
export function inflateWithFflate(bytes: Uint8Array, length: number): Uint8Array {
  const data = unzlibSync(bytes, { out: new Uint8Array(length + 1) });
  const stored = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(bytes.byteLength - 4);
  if (adler32(data) !== stored) throw new Error('checksum of a zlib stream');
  return data;
}

/** RFC 1950's checksum. 5,552 bytes are the most whose sums fit 32 bits, and V8 keeps 31-bit integers apart from others. */
function adler32(bytes: Uint8Array): number {
  let a = 1;
  let b = 0;
  for (let from = 0; from < bytes.byteLength; from += 2048) {
    const end = Math.min(from + 2048, bytes.byteLength);
    for (let i = from; i < end; i++) {
      a += bytes[i];
      b += a;
    }
    a %= 65_521;
    b %= 65_521;
  }
  return ((b << 16) | a) >>> 0;
}
