import { sizeOf } from './size-of.js';
import { pushVarint } from './varint.js';

/** Parts as one array, after `head` as numbers of 7 bits a byte. */
export function joined(head: readonly number[], parts: readonly Uint8Array[]): Uint8Array {
  const start: number[] = [];
  for (const n of head) pushVarint(start, n);
  const whole = new Uint8Array(start.length + sizeOf(parts));
  whole.set(start);
  let at = start.length;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
