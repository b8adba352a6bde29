import { DTYPES, type Dtype } from '@prune/core';
import { ByteBuilder, UNDEFINED_ADDRESS } from './byte-builder.js';

/**
 * The object header messages that this layout needs, in the versions of HDF5 1.8 (2008), which every later library reads.
 * Source: the HDF5 File Format Specification, version 3.0, section IV.A.2.
 */
export interface Message {
  readonly type: number;
  readonly body: Uint8Array;
}

const MESSAGE = {
  dataspace: 0x01,
  linkInfo: 0x02,
  datatype: 0x03,
  fillValue: 0x05,
  link: 0x06,
  layout: 0x08,
  groupInfo: 0x0a,
  filters: 0x0b,
  attribute: 0x0c,
  btreeK: 0x13,
} as const;

const FILTER = { deflate: 1, shuffle: 2 } as const;

/** Shape `[]` is a scalar. */
export function dataspace(shape: readonly number[]): Message {
  const body = new ByteBuilder()
    .u8(2)
    .u8(shape.length)
    .u8(0)
    .u8(shape.length === 0 ? 0 : 1);
  for (const dimension of shape) body.u64(dimension);
  return { type: MESSAGE.dataspace, body: body.bytes() };
}

/** Little-endian; `bool` as h5py's enum of FALSE and TRUE over int8. `bfloat16` has no HDF5 type that other readers know. */
export function datatype(dtype: Exclude<Dtype, 'bfloat16'>): Message {
  return { type: MESSAGE.datatype, body: datatypeBytes(dtype).bytes() };
}

/** A variable-length UTF-8 string, null-terminated: what h5py writes for a `str`. */
export function stringDatatype(): Message {
  const body = new ByteBuilder().u8(0x19).u8(0x01).u8(0x01).u8(0).u32(16).append(datatypeBytes('uint8').bytes());
  return { type: MESSAGE.datatype, body: body.bytes() };
}

function datatypeBytes(dtype: Exclude<Dtype, 'bfloat16'>): ByteBuilder {
  const { bytes } = DTYPES[dtype];
  const builder = new ByteBuilder();
  switch (dtype) {
    case 'bool':
      builder.u8(0x38).u16(2).u8(0).u32(1).append(datatypeBytes('int8').bytes());
      return builder.text('FALSE\0TRUE\0').u8(0).u8(1);
    case 'float16':
      return builder.u8(0x11).u8(0x20).u8(15).u8(0).u32(2).u16(0).u16(16).u8(10).u8(5).u8(0).u8(10).u32(15);
    case 'float32':
      return builder.u8(0x11).u8(0x20).u8(31).u8(0).u32(4).u16(0).u16(32).u8(23).u8(8).u8(0).u8(23).u32(127);
    case 'float64':
      return builder.u8(0x11).u8(0x20).u8(63).u8(0).u32(8).u16(0).u16(64).u8(52).u8(11).u8(0).u8(52).u32(1023);
    default: {
      const signed = dtype.startsWith('int') ? 0x08 : 0;
      return builder
        .u8(0x10)
        .u8(signed)
        .u16(0)
        .u32(bytes)
        .u16(0)
        .u16(8 * bytes);
    }
  }
}

/** Default fill value; space is allocated late (contiguous) or chunk by chunk, as the library does it. */
export function fillValue(chunked: boolean): Message {
  return {
    type: MESSAGE.fillValue,
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
  return { type: MESSAGE.layout, body: body.bytes() };
}

/** Chunks found through a version 1 B-tree. */
export function chunkedLayout(btree: number, chunk: readonly number[], elementBytes: number): Message {
  const body = new ByteBuilder()
    .u8(3)
    .u8(2)
    .u8(chunk.length + 1)
    .u64(btree);
  for (const dimension of chunk) body.u32(dimension);
  return { type: MESSAGE.layout, body: body.u32(elementBytes).bytes() };
}

/** Deflate at `level`, behind the byte shuffle where an element has more than one byte. */
export function filterPipeline(level: number, shuffleBytes: number): Message {
  const body = new ByteBuilder().u8(2).u8(shuffleBytes > 1 ? 2 : 1);
  if (shuffleBytes > 1) body.u16(FILTER.shuffle).u16(1).u16(1).u32(shuffleBytes);
  return { type: MESSAGE.filters, body: body.u16(FILTER.deflate).u16(1).u16(1).u32(level).bytes() };
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
  return { type: MESSAGE.attribute, body: body.append(type.body).append(space.body).append(value).bytes() };
}

/** A hard link to the object header at `address`. */
export function link(name: string, address: number): Message {
  const nameBytes = new TextEncoder().encode(name);
  const ascii = isAscii(name, nameBytes);
  const body = new ByteBuilder().u8(1).u8(0x01 | (ascii ? 0 : 0x10));
  if (!ascii) body.u8(1);
  return { type: MESSAGE.link, body: body.u16(nameBytes.length).append(nameBytes).u64(address).bytes() };
}

/** What makes a header a group whose links are messages of the header itself. */
export function groupMessages(): Message[] {
  const noIndex = new ByteBuilder().u8(0).u8(0).u64(UNDEFINED_ADDRESS).u64(UNDEFINED_ADDRESS);
  return [
    { type: MESSAGE.linkInfo, body: noIndex.bytes() },
    { type: MESSAGE.groupInfo, body: new ByteBuilder().u8(0).u8(0).bytes() },
  ];
}

/** The sizes of B-tree nodes, for the superblock extension: `chunks` is half the most children of a chunk index node. */
export function btreeK(chunks: number): Message {
  return { type: MESSAGE.btreeK, body: new ByteBuilder().u8(0).u16(chunks).u16(16).u16(4).bytes() };
}

/** Everything else takes more bytes in UTF-8 than 16-bit units in a string. */
function isAscii(text: string, utf8: Uint8Array): boolean {
  return text.length === utf8.length;
}
