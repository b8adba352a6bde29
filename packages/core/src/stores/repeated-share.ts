/** Two column indices of 16 bits; shorter repeats hardly pay for saying where they are. */
const SHORTEST = 4;
const HASH_BITS = 12;

/**
 * The share of `bytes` that lie in strings of at least four bytes which occur before, runs of one byte not counted: 0 to 1. It bounds what an LZ77
 * search can gain over coding the bytes one by one, for a hundredth of its time. Repeats at a distance are found as a hash table of 4,096 positions
 * happens to keep them; meant for samples of some kilobytes.
 */
export function repeatedShare(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const lastAt = new Int32Array(1 << HASH_BITS).fill(-1);
  let repeated = 0;
  for (let at = 0; at + SHORTEST <= bytes.length; at++) {
    const four = view.getInt32(at, true);
    // Knuth's multiplicative hash, 2^32 over the golden ratio.
    const hash = Math.imul(four, 0x9e3779b1) >>> (32 - HASH_BITS);
    const before = lastAt[hash];
    lastAt[hash] = at;
    if (before < 0 || before === at - 1 || view.getInt32(before, true) !== four) continue;
    let length = SHORTEST;
    while (at + length < bytes.length && bytes[before + length] === bytes[at + length]) length++;
    repeated += length;
    at += length - 1;
  }
  return bytes.length === 0 ? 0 : repeated / bytes.length;
}
