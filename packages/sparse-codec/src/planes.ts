import { inBlocks, type Pacer } from '@prune/core';
import { sizeOf } from './size-of.js';
import { decodeSymbols, encodeSymbols } from './symbol-coder.js';
import type { ByteReader } from './varint.js';

/**
 * Elements of `width` bytes as `width` sequences of bytes, most significant first, each coded by its own frequencies or
 * left as it is, whichever is smaller, as the parts of a block. A float32's low fraction bits are noise; its exponent
 * has 3 bits of entropy.
 */
export async function encodePlanes(bytes: Uint8Array, width: number, pacer: Pacer): Promise<Uint8Array[]> {
  const length = bytes.length / width;
  const parts: Uint8Array[] = [];
  for (let plane = width - 1; plane >= 0; plane--) {
    const symbols = new Uint8Array(length);
    await inBlocks(length, pacer, (from, to) => gather(bytes, width, plane, symbols, from, to));
    const coded = await encodeSymbols(symbols, 256, pacer);
    if (sizeOf(coded) < length) parts.push(Uint8Array.of(1), ...coded);
    else parts.push(Uint8Array.of(0), symbols);
  }
  return parts;
}

function gather(bytes: Uint8Array, width: number, plane: number, symbols: Uint8Array, from: number, to: number): void {
  for (let i = from, at = from * width + plane; i < to; i++, at += width) symbols[i] = bytes[at];
}

/** Fills `bytes` from what {@link encodePlanes} made. */
export async function decodePlanes(reader: ByteReader, bytes: Uint8Array, width: number, pacer: Pacer): Promise<void> {
  const length = bytes.length / width;
  // One memory for all planes, and that of the elements where they are one plane.
  let own: Uint8Array | undefined;
  for (let plane = width - 1; plane >= 0; plane--) {
    let symbols: Uint8Array;
    if (reader.varint('form of a plane', 1) === 1) {
      own ??= width === 1 ? bytes : new Uint8Array(length);
      symbols = own;
      await decodeSymbols(reader, symbols, 256, pacer);
    } else {
      symbols = reader.take('plane', length);
    }
    if (symbols === bytes) return;
    await inBlocks(length, pacer, (from, to) => spread(symbols, bytes, width, plane, from, to));
  }
}

function spread(symbols: Uint8Array, bytes: Uint8Array, width: number, plane: number, from: number, to: number): void {
  for (let i = from, at = from * width + plane; i < to; i++, at += width) bytes[at] = symbols[i];
}
