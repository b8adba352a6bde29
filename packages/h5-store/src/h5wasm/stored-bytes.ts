import { isPruneError, PruneError } from '@prune/core';
import { UNDEFINED_ADDRESS } from '../format/constants.js';
import { MESSAGE_TYPE } from '../format/message-type.js';
import { viewOf } from '../read/file-bytes.js';
import { headerMessages } from '../read/header-messages.js';
import type { BudgetedFile } from '../read/read-budget.js';

/**
 * Bytes that a dataset's elements take in the file, filters applied, which h5wasm does not tell: read from its object header at the address that an
 * object reference holds. `undefined` where the structures are none that the notebook's files or ours have (a chunk index of HDF5 1.10, a broken
 * header); HDF5 itself decides whether such a file can be read. Throws `corrupt` for a chunk that is not in the file. Source: HDF5 File Format Specification 3.0, sections IV.A and III.A.1.
 */
export function storedBytes(file: BudgetedFile, reference: ArrayLike<number>): number | undefined {
  try {
    const layout = findLayout(file, viewOf(Uint8Array.from(reference)).getBigUint64(0, true));
    return layout === undefined ? undefined : layoutBytes(file, layout);
  } catch (error) {
    if (isPruneError(error)) throw error;
    return undefined;
  }
}

function findLayout(file: BudgetedFile, address: bigint): DataView | undefined {
  for (const { type, body } of headerMessages(file, Number(address))) if (type === MESSAGE_TYPE.layout) return body;
  return undefined;
}

function layoutBytes(file: BudgetedFile, layout: DataView): number | undefined {
  const version = layout.getUint8(0);
  if (version !== 3 && version !== 4) return undefined;
  const kind = layout.getUint8(1);
  if (kind === 0) return layout.getUint16(2, true);
  if (kind === 1) return Number(layout.getBigUint64(10, true));
  if (kind !== 2 || version !== 3) return undefined;
  const root = layout.getBigUint64(3, true);
  // An address of all ones: no chunk was ever written.
  return root === UNDEFINED_ADDRESS ? 0 : treeBytes(file, Number(root), layout.getUint8(2), 256);
}

function treeBytes(file: BudgetedFile, address: number, rank: number, above: number): number {
  const head = viewOf(file.read(address, 24));
  const level = head.getUint8(5);
  // Levels fall towards the leaves, so a circle ends.
  if (level >= above) throw new RangeError('B-tree levels do not fall');
  const count = head.getUint16(6, true);
  const key = 8 + 8 * rank;
  const entries = viewOf(file.read(address + 24, count * (key + 8)));
  let bytes = 0;
  for (let i = 0; i < count; i++) {
    const at = i * (key + 8);
    const child = Number(entries.getBigUint64(at + key, true));
    if (level > 0) {
      bytes += treeBytes(file, child, rank, level);
      continue;
    }
    const size = entries.getUint32(at, true);
    // HDF5 takes a chunk's memory before it reads it.
    if (child + size > file.size) {
      const got = `bytes ${child} to ${child + size}`;
      throw new PruneError('corrupt', { what: 'a chunk lies outside the file', got, wanted: `at most ${file.size}` });
    }
    bytes += size;
  }
  return bytes;
}
