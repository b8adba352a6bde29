/**
 * HDF5's metadata checksum: Bob Jenkins' lookup3 `hashlittle` with the initial value 0, uint32.
 * Source: https://burtleburtle.net/bob/c/lookup3.c (public domain).
 */
export function lookup3(bytes: Uint8Array): number {
  let a = (0xdeadbeef + bytes.byteLength) | 0;
  let b = a;
  let c = a;
  if (bytes.byteLength === 0) return c >>> 0;
  // All but the last 1 to 12 bytes.
  const tailAt = 12 * Math.ceil(bytes.byteLength / 12 - 1);
  const words = wordsOf(bytes.subarray(0, tailAt));
  for (let at = 0; at < words.length; at += 3) {
    a = (a + words[at]) | 0;
    b = (b + words[at + 1]) | 0;
    c = (c + words[at + 2]) | 0;
    a = (a - c) ^ ((c << 4) | (c >>> 28));
    c = (c + b) | 0;
    b = (b - a) ^ ((a << 6) | (a >>> 26));
    a = (a + c) | 0;
    c = (c - b) ^ ((b << 8) | (b >>> 24));
    b = (b + a) | 0;
    a = (a - c) ^ ((c << 16) | (c >>> 16));
    c = (c + b) | 0;
    b = (b - a) ^ ((a << 19) | (a >>> 13));
    a = (a + c) | 0;
    c = (c - b) ^ ((b << 4) | (b >>> 28));
    b = (b + a) | 0;
  }
  // The others, zero padded.
  const tail = new Uint8Array(12);
  tail.set(bytes.subarray(tailAt));
  const last = wordsOf(tail);
  a = (a + last[0]) | 0;
  b = (b + last[1]) | 0;
  c = (c + last[2]) | 0;
  c = (c ^ b) - rotate(b, 14);
  a = (a ^ c) - rotate(c, 11);
  b = (b ^ a) - rotate(a, 25);
  c = (c ^ b) - rotate(b, 16);
  a = (a ^ c) - rotate(c, 4);
  b = (b ^ a) - rotate(a, 14);
  c = (c ^ b) - rotate(b, 24);
  return c >>> 0;
}

/** Little-endian words; a copy where a view begins between them. */
function wordsOf(bytes: Uint8Array): Int32Array {
  const { buffer, byteOffset } = bytes.byteOffset % 4 === 0 ? bytes : new Uint8Array(bytes);
  return new Int32Array(buffer, byteOffset, bytes.byteLength / 4);
}

function rotate(x: number, bits: number): number {
  return (x << bits) | (x >>> (32 - bits));
}
