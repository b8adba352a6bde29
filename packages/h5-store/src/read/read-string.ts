import { viewOf } from './file-bytes.js';
import type { BudgetedFile } from './read-budget.js';
import { uint64, want } from './unknown-structure.js';

/** `GCOL`, little-endian. */
const GCOL = 0x4c4f4347;
const HEADER_BYTES = 16;

/**
 * Reads variable-length strings: the bytes behind the 16 bytes that an attribute keeps of one. Throws
 * `UnknownStructure` or a RangeError.
 */
export type StringReader = (reference: DataView) => Uint8Array;

/**
 * A reader of the strings of one file, whose heaps are looked through once. Source: HDF5 File Format Specification 3.0,
 * section III.E.
 */
export function stringReader(file: BudgetedFile): StringReader {
  const collections = new Map<number, Collection>();
  return (reference) => {
    const length = reference.getUint32(0, true);
    if (length === 0) return new Uint8Array();
    const address = uint64(reference, 4);
    let collection = collections.get(address);
    if (collection === undefined) {
      collection = readCollection(file, address);
      collections.set(address, collection);
    }
    const { bytes, objects } = collection;
    const at = objects.get(reference.getUint32(12, true));
    want(at !== undefined && uint64(viewOf(bytes), at + 8) === length, 'string in a heap');
    // Not a copy: thousands of attributes may refer to one long string.
    return bytes.subarray(at + HEADER_BYTES, at + HEADER_BYTES + length);
  };
}

/** A global heap collection. */
interface Collection {
  readonly bytes: Uint8Array;
  /** Where each object begins, by its number. */
  readonly objects: ReadonlyMap<number, number>;
}

function readCollection(file: BudgetedFile, address: number): Collection {
  const head = viewOf(file.read(address, HEADER_BYTES));
  want(head.getUint32(0, true) === GCOL && head.getUint8(4) === 1, 'global heap');
  const bytes = file.read(address, uint64(head, 8));
  const view = viewOf(bytes);
  const objects = new Map<number, number>();
  for (let at = HEADER_BYTES; at + HEADER_BYTES <= bytes.byteLength; ) {
    const index = view.getUint16(at, true);
    const size = uint64(view, at + 8);
    // 0 is free space. It is the last, and counts its own header.
    if (index === 0) break;
    const start = at + HEADER_BYTES;
    want(start + size <= bytes.byteLength && !objects.has(index), 'object of a heap');
    file.payNode();
    objects.set(index, at);
    at = start + 8 * Math.ceil(size / 8);
  }
  return { bytes, objects };
}
