import { inBlocks, type Pacer } from '@prune/core';
import type { Crc32 } from './crc32.js';

/**
 * The CRC-32 of all bytes, with pauses, because the sum of a large block takes tens of milliseconds; `seed` continues an
 * earlier one.
 */
export async function crcInTurns(bytes: Uint8Array, crc32: Crc32, pacer: Pacer, seed = 0): Promise<number> {
  let crc = seed;
  await inBlocks(bytes.length, pacer, (from, to) => {
    crc = crc32(bytes.subarray(from, to), crc);
  });
  return crc;
}
