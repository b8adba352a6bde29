import { DTYPES, type Dtype } from '@prune/core';
import { ByteBuilder } from './byte-builder.js';

/**
 * The body of a datatype message: little-endian numbers, `bool` as h5py's enum of FALSE and TRUE over int8. The writer
 * writes these bytes and the reader accepts no others. `bfloat16` has no HDF5 type that other readers know. Source:
 * HDF5 File Format Specification 3.0, section IV.A.2.d.
 */
export function datatypeBytes(dtype: Exclude<Dtype, 'bfloat16'>): Uint8Array {
  return build(dtype).bytes();
}

function build(dtype: Exclude<Dtype, 'bfloat16'>): ByteBuilder {
  const { bytes } = DTYPES[dtype];
  const builder = new ByteBuilder();
  switch (dtype) {
    case 'bool':
      builder.u8(0x38).u16(2).u8(0).u32(1).append(datatypeBytes('int8'));
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
