import { ByteBuilder } from '../format/byte-builder.js';
import { FILE_SIGNATURE } from '../format/constants.js';
import { lookup3 } from '../format/lookup3.js';

/** Bytes of a version 2 superblock. */
export const SUPERBLOCK_BYTES = 48;

/** The first bytes of the file. Source: HDF5 File Format Specification 3.0, section II.A. */
export function superblock(at: { extension: number; end: number; root: number }): Uint8Array {
  const block = new ByteBuilder().append(Uint8Array.from(FILE_SIGNATURE));
  block.u8(2).u8(8).u8(8).u8(0).u64(0).u64(at.extension).u64(at.end).u64(at.root);
  return block.u32(lookup3(block.bytes())).bytes();
}
