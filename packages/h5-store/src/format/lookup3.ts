/**
 * HDF5's metadata checksum: Bob Jenkins' lookup3 `hashlittle` with the initial value 0, uint32.
 * Source: https://burtleburtle.net/bob/c/lookup3.c (public domain).
 */
export function lookup3(bytes: Uint8Array): number {
  // Little-endian words, zero padded; a copy, because a view may begin anywhere.
  const words = new Uint32Array(Math.ceil(bytes.byteLength / 12) * 3);
  new Uint8Array(words.buffer).set(bytes);
  let a = (0xdeadbeef + bytes.byteLength) | 0;
  let b = a;
  let c = a;
  if (bytes.byteLength === 0) return c >>> 0;
  const last = words.length - 3;
  for (let at = 0; at < last; at += 3) {
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
  // The last 1 to 12 bytes.
  a = (a + words[last]) | 0;
  b = (b + words[last + 1]) | 0;
  c = (c + words[last + 2]) | 0;
  c = (c ^ b) - rotate(b, 14);
  a = (a ^ c) - rotate(c, 11);
  b = (b ^ a) - rotate(a, 25);
  c = (c ^ b) - rotate(b, 16);
  a = (a ^ c) - rotate(c, 4);
  b = (b ^ a) - rotate(a, 14);
  c = (c ^ b) - rotate(b, 24);
  return c >>> 0;
}

function rotate(x: number, bits: number): number {
  return (x << bits) | (x >>> (32 - bits));
}
