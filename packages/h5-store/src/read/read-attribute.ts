import type { Dtype } from '@prune/core';
import { readDatatype } from './read-datatype.js';
import { readSpace } from './read-space.js';
import { want } from './unknown-structure.js';
import { decodeName } from './utf8.js';

/** An attribute as it lies in an object header. */
export interface StoredAttribute {
  readonly name: string;
  readonly dtype: Dtype | 'string';
  readonly shape: readonly number[];
  /** The rest of the message: the elements, and padding. A string's are a reference into a heap. */
  readonly data: DataView;
}

/** An attribute message, version 1 (h5py's), 2 or 3 (ours). Throws `UnknownStructure` or a RangeError. Source: HDF5 File Format Specification 3.0, IV.A.2.m. */
export function readAttribute(body: DataView): StoredAttribute {
  const version = body.getUint8(0);
  want(version >= 1 && version <= 3, 'version of an attribute');
  // Its type or space may be another object's; version 1 has no such flags.
  want(body.getUint8(1) === 0, 'shared parts of an attribute');
  const nameBytes = body.getUint16(2, true);
  // Version 1 pads its parts to 8 bytes; version 3 has a character set.
  const padded = (bytes: number) => (version === 1 ? 8 * Math.ceil(bytes / 8) : bytes);
  let at = version === 3 ? 9 : 8;
  const part = (bytes: number) => {
    const view = new DataView(body.buffer, body.byteOffset + at, bytes);
    at += padded(bytes);
    want(at <= body.byteLength, 'a part of an attribute does not end inside it');
    return view;
  };
  const name = part(nameBytes);
  const type = part(body.getUint16(4, true));
  const space = part(body.getUint16(6, true));
  want(nameBytes > 1 && name.getUint8(nameBytes - 1) === 0, 'name of an attribute');
  const text = decodeName(new Uint8Array(name.buffer, name.byteOffset, nameBytes - 1));
  return { name: text, dtype: readDatatype(type), shape: readSpace(space), data: part(body.byteLength - at) };
}
