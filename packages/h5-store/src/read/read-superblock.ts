import { FILE_SIGNATURE, UNDEFINED_ADDRESS } from '../format/constants.js';
import { lookup3 } from '../format/lookup3.js';
import { MESSAGE_TYPE } from '../format/message-type.js';
import { viewOf } from './file-bytes.js';
import { headerMessages } from './header-messages.js';
import type { BudgetedFile } from './read-budget.js';
import { uint64, want } from './unknown-structure.js';

/**
 * The address of the root group's object header: superblock 0 or 1 (h5py's) or 2 or 3 (ours), at the start of the file
 * or past its user block, with addresses and lengths of 8 bytes. Throws `UnknownStructure` or a RangeError. Source:
 * HDF5 File Format Specification 3.0, section II.A.
 */
export function readSuperblock(file: BudgetedFile): number {
  const view = viewOf(file.read(0, 48));
  want(
    FILE_SIGNATURE.every((byte, i) => view.getUint8(i) === byte),
    'signature',
  );
  const version = view.getUint8(8);
  if (version === 2 || version === 3) {
    want(lookup3(file.read(0, 44)) === view.getUint32(44, true), 'checksum of the superblock');
    want(view.getUint8(9) === 8 && view.getUint8(10) === 8 && view.getUint8(11) === 0, 'sizes or flags');
    want(isExtent(file, uint64(view, 12), uint64(view, 28)), 'base or end');
    if (view.getBigUint64(20, true) !== UNDEFINED_ADDRESS) readExtension(file, uint64(view, 20));
    return uint64(view, 36);
  }
  want(version === 0 || version === 1, 'version of the superblock');
  want(view.getUint8(13) === 8 && view.getUint8(14) === 8, 'sizes');
  // Version 1 has a B-tree size and padding more.
  const rest = viewOf(file.read(version === 0 ? 24 : 28, 72));
  want(isExtent(file, uint64(rest, 0), uint64(rest, 16)), 'base or end');
  want(rest.getBigUint64(24, true) === UNDEFINED_ADDRESS, 'a driver of its own');
  return uint64(rest, 40);
}

/**
 * Whether addresses count from where the superblock is, and end within the file. The end counts from there or from the
 * file's start.
 */
function isExtent({ base = 0, size }: BudgetedFile, stated: number, end: number): boolean {
  return stated === base && end <= base + size;
}

/** What else could be there (a cache image, shared messages) changes how the file is read. */
function readExtension(file: BudgetedFile, address: number): void {
  for (const { type } of headerMessages(file, address))
    want(type === MESSAGE_TYPE.nil || type === MESSAGE_TYPE.btreeK, 'superblock extension');
}
