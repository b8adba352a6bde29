import { ByteBuilder } from '../format/byte-builder.js';

/** The specification's smallest collection. */
const SMALLEST = 4096;
/** Objects are numbered from 1 in 16 bits. */
const MOST_OBJECTS = 65_535;

/**
 * Global heap collections that hold `strings` (UTF-8 bytes), to be put at `base`, and for each string the 16 bytes that an attribute keeps of it.
 * Source: HDF5 File Format Specification 3.0, section III.E.
 */
export function stringHeap(
  strings: readonly Uint8Array[],
  base: number,
): { bytes: Uint8Array; references: Uint8Array[] } {
  const heap = new ByteBuilder();
  const references: Uint8Array[] = [];
  for (let first = 0; first < strings.length; first += MOST_OBJECTS) {
    const address = base + heap.length;
    const objects = new ByteBuilder();
    for (const [i, text] of strings.slice(first, first + MOST_OBJECTS).entries()) {
      objects
        .u16(i + 1)
        .u16(1)
        .u32(0)
        .u64(text.byteLength)
        .append(text);
      objects.zeros((8 - (text.byteLength % 8)) % 8);
      references.push(
        new ByteBuilder()
          .u32(text.byteLength)
          .u64(address)
          .u32(i + 1)
          .bytes(),
      );
    }
    const used = 16 + objects.length;
    const size = Math.max(SMALLEST, used);
    heap.text('GCOL').u8(1).u8(0).u16(0).u64(size).append(objects.bytes());
    const free = size - used;
    // Object 0 is the free space, its own header counted; less than a header is left as zeros.
    if (free >= 16)
      heap
        .u16(0)
        .u16(0)
        .u32(0)
        .u64(free)
        .zeros(free - 16);
    else heap.zeros(free);
  }
  return { bytes: heap.bytes(), references };
}
