import { PruneError } from '@prune/core';

/**
 * The protobuf integers of `bytes`, one after another, as signed 64-bit integers rounded to float64: `INT64_MAX` stands
 * for "to the end" in a Slice, and every other number of a graph is small. Throws `truncated` or `corrupt`.
 */
export function unpackVarints(bytes: Uint8Array): Float64Array {
  let count = 0;
  for (const byte of bytes) if (byte < 0x80) count++;
  const integers = new Float64Array(count);
  let begin = 0;
  for (let i = 0; i < count; i++) {
    let end = begin;
    while (bytes[end] >= 0x80) end++;
    if (end - begin >= 10) throw new PruneError('corrupt', { what: 'protobuf integer does not end' });
    integers[i] = end - begin < 4 ? short(bytes, begin, end) : long(bytes, begin, end);
    begin = end + 1;
  }
  if (begin < bytes.length) throw new PruneError('truncated', { what: 'protobuf integer does not end' });
  return integers;
}

/** An integer of at most 28 bits. */
function short(bytes: Uint8Array, begin: number, end: number): number {
  let value = 0;
  for (let i = end; i >= begin; i--) value = (value << 7) | (bytes[i] & 0x7f);
  return value;
}

function long(bytes: Uint8Array, begin: number, end: number): number {
  let value = 0n;
  for (let i = end; i >= begin; i--) value = (value << 7n) | BigInt(bytes[i] & 0x7f);
  return Number(BigInt.asIntN(64, value));
}
