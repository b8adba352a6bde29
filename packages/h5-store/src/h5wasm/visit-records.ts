import { viewOf } from '../read/file-bytes.js';
import type { BudgetedFile } from '../read/read-budget.js';

/** `BTHD`, `BTIN` and `BTLF`, little-endian. */
const HEADER = 0x44485442;
const INTERNAL = 0x4e495442;
const LEAF = 0x464c5442;

/** Signature, version, type, and the checksum behind the records. */
const NODE_OVERHEAD = 10;
/** HDF5 takes memory for each level. A tree of 2^53 records has fewer, with the smallest nodes that HDF5 makes. */
const MOST_LEVELS = 64;

/** What a tree's header says of all its nodes of one level. */
interface Level {
  /** Bytes of a pointer to a node of this level: an address and one or two counts. */
  readonly pointerBytes: number;
  /** Bytes of the count of records in the node itself, which follows the address. */
  readonly countBytes: number;
}

/**
 * Visits the records of a version 2 B-tree, as often as the tree names them, in the order of its nodes. Gives their
 * number as the header has it. Throws `limit` when the nodes are more than the file's budget, a RangeError for bytes
 * that are not such a tree. Checksums are not looked at. Source: HDF5 File Format Specification 3.0, section III.A.2.
 */
export function visitRecords(file: BudgetedFile, address: number, visit: (record: DataView) => void): number {
  const header = viewOf(file.read(address, 34));
  if (header.getUint32(0, true) !== HEADER) throw new RangeError('header of a B-tree');
  const recordBytes = header.getUint16(10, true);
  const depth = header.getUint16(12, true);
  const levels = levelsOf(header.getUint32(6, true), recordBytes, depth);
  visitNode(Number(header.getBigUint64(16, true)), header.getUint16(24, true), depth);
  return Number(header.getBigUint64(26, true));

  function visitNode(at: number, count: number, level: number): void {
    if (viewOf(file.read(at, 4)).getUint32(0, true) !== (level === 0 ? LEAF : INTERNAL)) {
      throw new RangeError('node of a B-tree');
    }
    const records = viewOf(file.read(at + 6, count * recordBytes));
    for (let i = 0; i < count; i++) {
      file.payNode();
      visit(new DataView(records.buffer, records.byteOffset + i * recordBytes, recordBytes));
    }
    if (level === 0) return;
    const { pointerBytes, countBytes } = levels[level - 1];
    const pointers = viewOf(file.read(at + 6 + count * recordBytes, (count + 1) * pointerBytes));
    for (let i = 0; i <= count; i++) {
      const child = i * pointerBytes;
      visitNode(Number(pointers.getBigUint64(child, true)), uintOf(pointers, child + 8, countBytes), level - 1);
    }
  }
}

/** The widths of pointers to nodes of each level below the root: as wide as the largest count that can be in them. */
function levelsOf(nodeBytes: number, recordBytes: number, depth: number): Level[] {
  if (recordBytes === 0 || depth > MOST_LEVELS) throw new RangeError('header of a B-tree');
  let most = Math.floor((nodeBytes - NODE_OVERHEAD) / recordBytes);
  let mostBelow = most;
  const countBytes = bytesFor(most);
  const levels: Level[] = [];
  for (let level = 0; level < depth; level++) {
    // The count of all records below a node is left out for leaves, which have none below.
    const pointerBytes = 8 + countBytes + (level === 0 ? 0 : bytesFor(mostBelow));
    levels.push({ pointerBytes, countBytes });
    most = Math.floor((nodeBytes - NODE_OVERHEAD - pointerBytes) / (recordBytes + pointerBytes));
    mostBelow = (most + 1) * mostBelow + most;
  }
  return levels;
}

/** Bytes that a number up to `most` takes. */
function bytesFor(most: number): number {
  return most < 1 ? 1 : Math.floor(Math.log2(most) / 8) + 1;
}

/** A little-endian number of 1 to 8 bytes. */
export function uintOf(view: DataView, at: number, bytes: number): number {
  let value = 0;
  for (let i = bytes - 1; i >= 0; i--) value = 256 * value + view.getUint8(at + i);
  return value;
}
