import { ByteBuilder } from '../format/byte-builder.js';
import { lookup3 } from '../format/lookup3.js';
import type { Message } from './write-messages.js';

/** A version 2 object header of one chunk: no times (so that equal models make equal files), no attribute creation order. */
export function objectHeader(messages: readonly Message[]): Uint8Array {
  const size = messages.reduce((sum, { body }) => sum + 4 + body.byteLength, 0);
  const header = new ByteBuilder().text('OHDR').u8(2);
  if (size < 2 ** 8) header.u8(0).u8(size);
  else if (size < 2 ** 16) header.u8(1).u16(size);
  else header.u8(2).u32(size);
  for (const { type, body } of messages) header.u8(type).u16(body.byteLength).u8(0).append(body);
  return header.u32(lookup3(header.bytes())).bytes();
}
