import { isPruneError, PruneError } from '@prune/core';
import { MESSAGE_TYPE } from '../format/message-type.js';
import { headerMessages } from '../read/header-messages.js';
import type { BudgetedFile } from '../read/read-budget.js';

/** The class of variable-length datatypes. */
const VLEN = 9;

/**
 * Throws `corrupt` for a variable-length string among the attributes at the object `reference` that is longer than the file: HDF5 takes its memory
 * (up to 4 GB) before it looks for it. Only attributes in the header itself are seen, as h5py's and ours are; HDF5 judges the rest.
 * Source: HDF5 File Format Specification 3.0, section IV.A.2.m.
 */
export function checkStrings(file: BudgetedFile, reference: ArrayLike<number>): void {
  try {
    const address = new DataView(Uint8Array.from(reference).buffer).getBigUint64(0, true);
    for (const { type, body } of headerMessages(file, Number(address)))
      if (type === MESSAGE_TYPE.attribute) checkAttribute(body, file);
  } catch (error) {
    if (isPruneError(error)) throw error;
  }
}

function checkAttribute(body: DataView, file: BudgetedFile): void {
  const version = body.getUint8(0);
  // Version 1 pads its parts to 8 bytes; a shared datatype (flag 1) is not here to be looked at.
  if (version !== 1 && (body.getUint8(1) & 1) !== 0) return;
  const [nameBytes, typeBytes, spaceBytes] = [2, 4, 6].map((at) => {
    const size = body.getUint16(at, true);
    return version === 1 ? 8 * Math.ceil(size / 8) : size;
  });
  const typeAt = (version === 3 ? 9 : 8) + nameBytes;
  if ((body.getUint8(typeAt) & 0x0f) !== VLEN) return;
  const length = body.getUint32(typeAt + typeBytes + spaceBytes, true);
  if (length > file.size) {
    const name = new Uint8Array(body.buffer, body.byteOffset + typeAt - nameBytes, nameBytes);
    const tensor = new TextDecoder().decode(name).replace(/\0.*/s, '');
    throw new PruneError('corrupt', { tensor, what: 'string is longer than the file', got: length, wanted: file.size });
  }
}
