import { checkLimit } from '@prune/core';
import { lookup3 } from '../format/lookup3.js';
import { MESSAGE_TYPE } from '../format/message-type.js';
import { viewOf } from './file-bytes.js';
import type { BudgetedFile } from './read-budget.js';

/** A message of an object header. */
export interface HeaderMessage {
  readonly type: number;
  /** Bit 1: the body is elsewhere, shared by several headers. */
  readonly flags: number;
  readonly body: DataView;
}

/** `OHDR` and `OCHK`, little-endian. */
const OHDR = 0x5244484f;
const OCHK = 0x4b48434f;
/** Messages of a header that are not entries: h5py's root has fewer than 10, and one continuation for each block. */
const OTHER_MESSAGES = 4096;

/**
 * The messages of the object header at `address`, version 1 or 2, its continuation blocks included, without those that
 * say nothing (type 0). Throws a RangeError for bytes that are not a header, for a checksum that differs (version 2),
 * and for blocks that are together longer than the file, as a circle of them is; `limit` for more messages than
 * `limits.tensors` entries need. Source: HDF5 File Format Specification 3.0, section IV.A.1.
 */
export function headerMessages(file: BudgetedFile, address: number): HeaderMessage[] {
  const start = viewOf(file.read(address, 16));
  const modern = start.getUint32(0, true) === OHDR;
  if (start.getUint8(modern ? 4 : 0) !== (modern ? 2 : 1)) throw new RangeError('version of a header');
  const flags = modern ? start.getUint8(5) : 0;
  const blocks = [modern ? modernBlock(file, address, flags) : file.read(address + 16, start.getUint32(8, true))];
  const head = modern ? 4 + (flags & 0x04 ? 2 : 0) : 8;
  const messages: HeaderMessage[] = [];
  let count = 0;
  let length = 0;
  for (const block of blocks) {
    length += block.byteLength;
    if (length > file.size) throw new RangeError('a header is longer than the file');
    const bytes = viewOf(block);
    for (let at = 0; at + head <= bytes.byteLength; ) {
      const type = modern ? bytes.getUint8(at) : bytes.getUint16(at, true);
      const size = bytes.getUint16(at + (modern ? 1 : 2), true);
      if (at + head + size > bytes.byteLength) throw new RangeError('a message does not end inside its header');
      count++;
      // A file of empty messages would take 40 times its size.
      if (type !== MESSAGE_TYPE.nil) {
        checkLimit('too many messages in a header', messages.length, file.limits.tensors + OTHER_MESSAGES);
        file.payNode();
        const body = new DataView(bytes.buffer, bytes.byteOffset + at + head, size);
        messages.push({ type, flags: bytes.getUint8(at + (modern ? 3 : 4)), body });
      }
      if (type === MESSAGE_TYPE.continuation) {
        const { body } = messages[messages.length - 1];
        const next = file.read(Number(body.getBigUint64(0, true)), Number(body.getBigUint64(8, true)));
        blocks.push(modern ? checked(next, OCHK, 4) : next);
      }
      at += head + size;
    }
  }
  if (!modern && count !== start.getUint16(2, true)) throw new RangeError('number of messages');
  return messages;
}

/** The messages of a version 2 header's first block. */
function modernBlock(file: BudgetedFile, address: number, flags: number): Uint8Array {
  const sizeAt = 6 + (flags & 0x20 ? 16 : 0) + (flags & 0x10 ? 4 : 0);
  const width = 1 << (flags & 3);
  const field = viewOf(file.read(address + sizeAt, width));
  const length = width === 1 ? field.getUint8(0) : width === 2 ? field.getUint16(0, true) : field.getUint32(0, true);
  return checked(file.read(address, sizeAt + width + length + 4), OHDR, sizeAt + width);
}

/** What lies between the first `skip` bytes of a block and its checksum. */
function checked(block: Uint8Array, signature: number, skip: number): Uint8Array {
  const view = viewOf(block);
  const end = block.byteLength - 4;
  if (end < skip || view.getUint32(0, true) !== signature) throw new RangeError('no header block');
  if (lookup3(block.subarray(0, end)) !== view.getUint32(end, true)) throw new RangeError('checksum of a header');
  return block.subarray(skip, end);
}
