import { type FileBytes, viewOf } from './file-bytes.js';
import { uint64, want } from './unknown-structure.js';

/** `GCOL`, little-endian. */
const GCOL = 0x4c4f4347;
const HEADER_BYTES = 16;

/** Reads variable-length strings: the bytes behind the 16 bytes that an attribute keeps of one. Throws `UnknownStructure` or a RangeError. */
export type StringReader = (reference: DataView) => Uint8Array;

/** A reader of the strings of one file, whose heaps are looked through once. Source: HDF5 File Format Specification 3.0, section III.E. */
export function stringReader(file: FileBytes): StringReader {
  const collections = new Map<number, ReadonlyMap<number, Uint8Array>>();
  return (reference) => {
    const length = reference.getUint32(0, true);
    if (length === 0) return new Uint8Array();
    const address = uint64(reference, 4);
    let objects = collections.get(address);
    if (objects === undefined) {
      objects = readCollection(file, address);
      collections.set(address, objects);
    }
    const bytes = objects.get(reference.getUint32(12, true));
    want(bytes !== undefined && bytes.byteLength === length, 'string in a heap');
    return bytes;
  };
}

/** The objects of a global heap collection, by their number; 0 is free space. */
function readCollection(file: FileBytes, address: number): ReadonlyMap<number, Uint8Array> {
  const head = viewOf(file.read(address, HEADER_BYTES));
  want(head.getUint32(0, true) === GCOL && head.getUint8(4) === 1, 'global heap');
  const bytes = file.read(address, uint64(head, 8));
  const view = viewOf(bytes);
  const objects = new Map<number, Uint8Array>();
  for (let at = HEADER_BYTES; at + HEADER_BYTES <= bytes.byteLength; ) {
    const index = view.getUint16(at, true);
    const size = uint64(view, at + 8);
    // Free space is the last, and counts its own header.
    if (index === 0) break;
    const start = at + HEADER_BYTES;
    want(start + size <= bytes.byteLength && !objects.has(index), 'object of a heap');
    objects.set(index, bytes.slice(start, start + size));
    at = start + 8 * Math.ceil(size / 8);
  }
  return objects;
}
