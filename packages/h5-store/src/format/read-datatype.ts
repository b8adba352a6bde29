import { DTYPES, type Dtype } from '@prune/state-dict';
import { datatype } from './messages.js';
import { UnknownStructure } from './unknown.js';

/**
 * The dtype that a datatype message declares. A number's bytes must be those that h5py and this package write for it, so that a big-endian number or
 * a float of another layout is never taken for one. Throws `UnknownStructure` or a RangeError. Source: HDF5 File Format Specification 3.0, IV.A.2.d.
 */
export function readDatatype(body: DataView): Dtype | 'string' {
  if (isString(body)) return 'string';
  const found = numbers().find(
    ({ bytes }) => bytes.byteLength <= body.byteLength && bytes.every((byte, i) => body.getUint8(i) === byte),
  );
  if (found === undefined) throw new UnknownStructure('datatype');
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

let table: readonly KnownDatatype[] | undefined;

function numbers(): readonly KnownDatatype[] {
  const dtypes = (Object.keys(DTYPES) as Dtype[]).filter((dtype) => dtype !== 'bfloat16');
  table ??= dtypes.map((dtype) => ({ dtype, bytes: datatype(dtype).body }));
  return table;
}
