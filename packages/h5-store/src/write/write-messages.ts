import type { Dtype } from '@prune/core';
import { ByteBuilder } from '../format/byte-builder.js';
import { UNDEFINED_ADDRESS } from '../format/constants.js';
import { datatypeBytes } from '../format/datatype-bytes.js';
import { MESSAGE_TYPE } from '../format/message-type.js';

/**
 * The object header messages that this layout needs, in the versions of HDF5 1.8 (2008), which every later library reads.
 * Source: the HDF5 File Format Specification, version 3.0, section IV.A.2.
 */
export interface Message {
  readonly type: number;
  readonly body: Uint8Array;
}

const FILTER = { deflate: 1, shuffle: 2 } as const;

/** Shape `[]` is a scalar. */
export function dataspace(shape: readonly number[]): Message {
  const body = new ByteBuilder()
    .u8(2)
    .u8(shape.length)
    .u8(0)
    .u8(shape.length === 0 ? 0 : 1);
  for (const dimension of shape) body.u64(dimension);
  return { type: MESSAGE_TYPE.dataspace, body: body.bytes() };
}

export function datatype(dtype: Exclude<Dtype, 'bfloat16'>): Message {
  return { type: MESSAGE_TYPE.datatype, body: datatypeBytes(dtype) };
}

/** A variable-length UTF-8 string, null-terminated: what h5py writes for a `str`. */
export function stringDatatype(): Message {
  const body = new ByteBuilder().u8(0x19).u8(0x01).u8(0x01).u8(0).u32(16).append(datatypeBytes('uint8'));
  return { type: MESSAGE_TYPE.datatype, body: body.bytes() };
}

/** Default fill value; space is allocated late (contiguous) or chunk by chunk, as the library does it. */
export function fillValue(chunked: boolean): Message {
  return {
    type: MESSAGE_TYPE.fillValue,
    body: new ByteBuilder()
      .u8(3)
      .u8(chunked ? 0x0b : 0x0a)
      .bytes(),
  };
}

/** One run of raw bytes; an empty one has no address. */
export function contiguousLayout(address: number, size: number): Message {
  const body = new ByteBuilder()
    .u8(3)
    .u8(1)
    .u64(size === 0 ? UNDEFINED_ADDRESS : address)
    .u64(size);
  return { type: MESSAGE_TYPE.layout, body: body.bytes() };
}

/** Chunks found through a version 1 B-tree. */
export function chunkedLayout(btree: number, chunk: readonly number[], elementBytes: number): Message {
  const body = new ByteBuilder()
    .u8(3)
    .u8(2)
    .u8(chunk.length + 1)
    .u64(btree);
  for (const dimension of chunk) body.u32(dimension);
  return { type: MESSAGE_TYPE.layout, body: body.u32(elementBytes).bytes() };
}

/** Deflate at `level`, behind the byte shuffle where an element has more than one byte. */
export function filterPipeline(level: number, shuffleBytes: number): Message {
  const body = new ByteBuilder().u8(2).u8(shuffleBytes > 1 ? 2 : 1);
  if (shuffleBytes > 1) body.u16(FILTER.shuffle).u16(1).u16(1).u32(shuffleBytes);
  return { type: MESSAGE_TYPE.filters, body: body.u16(FILTER.deflate).u16(1).u16(1).u32(level).bytes() };
}

export function attribute(name: string, type: Message, space: Message, value: Uint8Array): Message {
  const nameBytes = new TextEncoder().encode(name);
  const body = new ByteBuilder()
    .u8(3)
    .u8(0)
    .u16(nameBytes.length + 1);
  body
    .u16(type.body.length)
    .u16(space.body.length)
    .u8(isAscii(name, nameBytes) ? 0 : 1)
    .append(nameBytes)
    .u8(0);
  return { type: MESSAGE_TYPE.attribute, body: body.append(type.body).append(space.body).append(value).bytes() };
}

/** A hard link to the object header at `address`. */
export function link(name: string, address: number): Message {
  const nameBytes = new TextEncoder().encode(name);
  const ascii = isAscii(name, nameBytes);
  const body = new ByteBuilder().u8(1).u8(0x01 | (ascii ? 0 : 0x10));
  if (!ascii) body.u8(1);
  return { type: MESSAGE_TYPE.link, body: body.u16(nameBytes.length).append(nameBytes).u64(address).bytes() };
}

/** What makes a header a group whose links are messages of the header itself. */
export function groupMessages(): Message[] {
  const noIndex = new ByteBuilder().u8(0).u8(0).u64(UNDEFINED_ADDRESS).u64(UNDEFINED_ADDRESS);
  return [
    { type: MESSAGE_TYPE.linkInfo, body: noIndex.bytes() },
    { type: MESSAGE_TYPE.groupInfo, body: new ByteBuilder().u8(0).u8(0).bytes() },
  ];
}

/** The sizes of B-tree nodes, for the superblock extension: `chunks` is half the most children of a chunk index node. */
export function btreeK(chunks: number): Message {
  return { type: MESSAGE_TYPE.btreeK, body: new ByteBuilder().u8(0).u16(chunks).u16(16).u16(4).bytes() };
}

/** Everything else takes more bytes in UTF-8 than 16-bit units in a string. */
function isAscii(text: string, utf8: Uint8Array): boolean {
  return text.length === utf8.length;
}
