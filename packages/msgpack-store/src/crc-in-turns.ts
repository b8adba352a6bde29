import { inBlocks, type Pacer } from '@prune/core';
import type { Crc32 } from './crc32.js';

/** The CRC-32 of all bytes, with pauses, because the sum of a large block takes tens of milliseconds. */
export async function crcInTurns(bytes: Uint8Array, crc32: Crc32, pacer: Pacer): Promise<number> {
  let crc = 0;
  await inBlocks(bytes.length, pacer, (from, to) => {
    crc = crc32(bytes.subarray(from, to), crc);
  });
  return crc;
}
