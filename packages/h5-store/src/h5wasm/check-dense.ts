import { checkLimit } from '@prune/core';
import { UNDEFINED_ADDRESS } from '../format/constants.js';
import { MESSAGE_TYPE } from '../format/message-type.js';
import { viewOf } from '../read/file-bytes.js';
import type { HeaderMessage } from '../read/header-messages.js';
import type { BudgetedFile } from '../read/read-budget.js';
import { uintOf, visitRecords } from './visit-records.js';

/** `FRHP`, little-endian: a fractal heap's header. */
const FRHP = 0x50485246;

/** A heap ID's kind, in bits 4 and 5 of its first byte. */
const KIND = { managed: 0, huge: 1, tiny: 2 } as const;

/**
 * A hard link without its name: version, flags, length of the name, address. The length of a name past 255 has two
 * bytes.
 */
const LINK_BYTES = 11;

/**
 * Pays for the links or attributes of a group that are in a fractal heap, where HDF5 puts them when they are many: it
 * copies all of them when it lists the group, as often as the group's index names them. Throws `limit`, and a RangeError
 * for bytes that are not such structures. Source: HDF5 File Format Specification 3.0, sections III.A.2, III.G, IV.A.2.c
 * and IV.A.2.v.
 */
export function checkDense(file: BudgetedFile, { type, body }: HeaderMessage): void {
  const links = type === MESSAGE_TYPE.linkInfo;
  // A creation index may come first: 8 bytes of a link's, 2 of an attribute's.
  const at = 2 + ((body.getUint8(1) & 1) === 0 ? 0 : links ? 8 : 2);
  if (body.getBigUint64(at, true) === UNDEFINED_ADDRESS) return;
  const lengthOf = objectLengths(file, Number(body.getBigUint64(at, true)));
  const count = visitRecords(file, Number(body.getBigUint64(at + 8, true)), (record) => {
    // A link's record begins with the hash of its name, an attribute's with its heap ID.
    const length = lengthOf(record, links ? 4 : 0);
    const nameBytes = length - LINK_BYTES - (length > LINK_BYTES + 255 ? 1 : 0);
    if (links) checkLimit('name is too long (bytes)', nameBytes, file.limits.nameLength);
    file.pay(length);
  });
  checkLimit('too many entries', count, file.limits.tensors);
}

/** The bytes of an object of the heap at `address`, by the heap ID at a place of a record. */
function objectLengths(file: BudgetedFile, address: number): (record: DataView, at: number) => number {
  const header = viewOf(file.read(address, 132));
  if (header.getUint32(0, true) !== FRHP) throw new RangeError('header of a fractal heap');
  const mostManaged = header.getUint32(10, true);
  const mostDirect = Number(header.getBigUint64(120, true));
  const offsetBytes = Math.ceil(header.getUint16(128, true) / 8);
  // HDF5's own rule: as wide as an offset in the largest block and the largest length need.
  const lengthBytes = Math.min(Math.ceil(Math.log2(mostDirect) / 8), Math.floor(Math.log2(mostManaged) / 8) + 1);
  return (record, at) => {
    const kind = (record.getUint8(at) >> 4) & 3;
    if (kind === KIND.managed) return uintOf(record, at + 1 + offsetBytes, lengthBytes);
    // Its length is in an index of its own. It cannot be longer than the file.
    if (kind === KIND.huge) return file.size;
    return (record.getUint8(at) & 0x0f) + 1;
  };
}
