import { FILE_SIGNATURE } from '../format/constants.js';
import type { FileBytes } from './file-bytes.js';

/** The shortest user block: HDF5 looks for its signature at 0, 512, 1024, 2048 and so on. */
const LEAST_BLOCK = 512;

/**
 * The file without its user block, bytes of another program before the HDF5 part, from whose beginning all addresses
 * count. The file itself if it has none, or no signature at all. Source: HDF5 File Format Specification 3.0, section
 * II.A.
 */
export function pastUserBlock(file: FileBytes): FileBytes {
  const { length } = FILE_SIGNATURE;
  for (let base = 0; base + length <= file.size; base = base === 0 ? LEAST_BLOCK : 2 * base) {
    const head = file.read(base, length);
    if (!FILE_SIGNATURE.every((byte, i) => head[i] === byte)) continue;
    if (base === 0) return file;
    return {
      size: file.size - base,
      base,
      read: (offset, count) => file.read(within(offset) + base, count),
      borrow: (offset, count) => file.borrow(within(offset) + base, count),
    };
  }
  return file;
}

/** A negative address would lie in the user block. */
function within(offset: number): number {
  if (offset >= 0) return offset;
  throw new RangeError('before the beginning');
}
