import type { Crc32, Pacer } from '@prune/core';

/** Bytes that are summed at a time: 1.3 ms without Node's `crc32`. Calls of Node's for 65,536 took a tenth more. */
const PART = 2 ** 20;

/**
 * The CRC-32 of all bytes, with pauses, because the sum of a large block takes tens of milliseconds; `seed` continues
 * an earlier one.
 */
export async function crcInTurns(bytes: Uint8Array, crc32: Crc32, pacer: Pacer, seed = 0): Promise<number> {
  let crc = seed;
  for (let from = 0; from < bytes.length; from += PART) {
    await pacer.pause();
    crc = crc32(bytes.subarray(from, from + PART), crc);
  }
  return crc;
}
