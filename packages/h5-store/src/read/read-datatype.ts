import { DTYPES, type Dtype } from '@prune/core';
import { datatypeBytes } from '../format/datatype-bytes.js';
import { viewOf } from './file-bytes.js';
import { UnknownStructure } from './unknown-structure.js';

/**
 * The dtype that a datatype message declares. A number's bytes must be those that h5py and this package write for it, so that a big-endian number or
 * a float of another layout is never taken for one. Throws `UnknownStructure` or a RangeError. Source: HDF5 File Format Specification 3.0, IV.A.2.d.
 */
export function readDatatype(body: DataView): Dtype | 'string' {
  if (isString(body)) return 'string';
  const found = numbers().get(body.getUint32(0, true) + 2 ** 32 * body.getUint32(4, true));
  if (found === undefined || found.bytes.byteLength > body.byteLength) throw new UnknownStructure('datatype');
  for (let i = 8; i < found.bytes.byteLength; i++) {
    if (found.bytes[i] !== body.getUint8(i)) throw new UnknownStructure('datatype');
  }
  return found.dtype;
}

/** A string of variable length: version 1, class 9, of type 1, whatever its padding and character set, of elements of one byte, and 16 bytes in the file. */
function isString(body: DataView): boolean {
  return (
    body.getUint8(0) === 0x19 &&
    (body.getUint8(1) & 0x0f) === 1 &&
    body.getUint32(4, true) === 16 &&
    body.getUint32(12, true) === 1
  );
}

interface KnownDatatype {
  readonly dtype: Dtype;
  readonly bytes: Uint8Array;
}

let table: ReadonlyMap<number, KnownDatatype> | undefined;

/** By their first 8 bytes: class, flags and size. */
function numbers(): ReadonlyMap<number, KnownDatatype> {
  if (table !== undefined) return table;
  const dtypes = (Object.keys(DTYPES) as Dtype[]).filter((dtype) => dtype !== 'bfloat16');
  table = new Map(
    dtypes.map((dtype) => {
      const bytes = datatypeBytes(dtype);
      const view = viewOf(bytes);
      return [view.getUint32(0, true) + 2 ** 32 * view.getUint32(4, true), { dtype, bytes }];
    }),
  );
  return table;
}
