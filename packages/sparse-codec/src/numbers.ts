import type { BinaryDecoder, BinaryEncoder, BitContexts } from './binary-coder.js';
import { corrupt } from './corrupt.js';

/** Contexts that one kind of number takes. */
export const NUMBER_CONTEXTS = 64;

/**
 * A number >= 0 below 2^17 as adaptive bits: 0, 1 .. 13 in unary; from 14 on the bit length of (n - 13) in unary, then its lower bits, the
 * first of them adaptive. Small numbers learn quickly, large ones stay possible.
 */
export function codeNumber(coder: BinaryEncoder, contexts: BitContexts, base: number, value: number): void {
  for (let i = 0; i < DIRECT; i++) {
    coder.bit(contexts, base + i, value > i ? 1 : 0);
    if (value <= i) return;
  }
  const rest = value - DIRECT + 1;
  const length = 31 - Math.clz32(rest);
  for (let i = 0; i < length; i++) coder.bit(contexts, base + DIRECT + i, 1);
  coder.bit(contexts, base + DIRECT + length, 0);
  for (let i = length - 1; i >= 0; i--) coder.bit(contexts, base + DIRECT + MAX_LENGTH + 1 + i, (rest >> i) & 1);
}

export function readNumber(coder: BinaryDecoder, contexts: BitContexts, base: number): number {
  for (let i = 0; i < DIRECT; i++) if (coder.bit(contexts, base + i) === 0) return i;
  let length = 0;
  while (coder.bit(contexts, base + DIRECT + length) === 1) {
    if (++length > MAX_LENGTH) throw corrupt('coded number is too large', `2^${length}`, `below 2^${MAX_LENGTH + 1}`);
  }
  let rest = 1;
  for (let i = length - 1; i >= 0; i--) rest = rest * 2 + coder.bit(contexts, base + DIRECT + MAX_LENGTH + 1 + i);
  return rest + DIRECT - 1;
}

const DIRECT = 14;
const MAX_LENGTH = 20;
