import { isPruneError, PruneError } from '@prune/state-dict';

/** Synchronous reads of the file that h5wasm has open. */
export interface FileBytes {
  readonly size: number;
  /** Exactly these bytes; throws at the end of the file. */
  read(offset: number, length: number): Uint8Array;
}

/**
 * Bytes that a dataset's elements take in the file, filters applied, which h5wasm does not tell: read from its object header at the address that an
 * object reference holds. `undefined` where the structures are none that the notebook's files or ours have (a chunk index of HDF5 1.10, a broken
 * header); HDF5 itself decides whether such a file can be read. Throws `corrupt` for a chunk that is not in the file. Source: HDF5 File Format Specification 3.0, sections IV.A and III.A.1.
 */
export function storedBytes(file: FileBytes, reference: ArrayLike<number>): number | undefined {
  try {
    const layout = findLayout(file, view(Uint8Array.from(reference)).getBigUint64(0, true));
    return layout === undefined ? undefined : layoutBytes(file, layout);
  } catch (error) {
    if (isPruneError(error)) throw error;
    return undefined;
  }
}

const LAYOUT = 0x08;
const CONTINUATION = 0x10;
/** Continuation blocks of a header, at most: a chain may be a circle. */
const MOST_BLOCKS = 64;

function findLayout(file: FileBytes, address: bigint): DataView | undefined {
  const start = view(file.read(Number(address), 16));
  const modern = start.getUint32(0, true) === OHDR;
  const flags = modern ? start.getUint8(5) : 0;
  let blocks: [offset: number, length: number][];
  if (modern) {
    const sizeAt = 6 + (flags & 0x20 ? 16 : 0) + (flags & 0x10 ? 4 : 0);
    const width = 1 << (flags & 3);
    const size = view(file.read(Number(address) + sizeAt, width));
    const length = width === 1 ? size.getUint8(0) : width === 2 ? size.getUint16(0, true) : size.getUint32(0, true);
    blocks = [[Number(address) + sizeAt + width, length]];
  } else {
    blocks = [[Number(address) + 16, start.getUint32(8, true)]];
  }
  const head = modern ? 4 + (flags & 0x04 ? 2 : 0) : 8;
  for (let b = 0; b < blocks.length && b < MOST_BLOCKS; b++) {
    const [offset, length] = blocks[b];
    const bytes = view(file.read(offset, length));
    for (let at = 0; at + head <= bytes.byteLength; ) {
      const type = modern ? bytes.getUint8(at) : bytes.getUint16(at, true);
      const size = bytes.getUint16(at + (modern ? 1 : 2), true);
      const body = new DataView(bytes.buffer, bytes.byteOffset + at + head, size);
      if (type === LAYOUT) return body;
      if (type === CONTINUATION) {
        const to = Number(body.getBigUint64(0, true));
        const span = Number(body.getBigUint64(8, true));
        // A version 2 block has a signature in front and a checksum behind.
        blocks.push(modern ? [to + 4, span - 8] : [to, span]);
      }
      at += head + size;
    }
  }
  return undefined;
}

/** `OHDR`, little-endian. */
const OHDR = 0x5244484f;

function layoutBytes(file: FileBytes, layout: DataView): number | undefined {
  const version = layout.getUint8(0);
  if (version !== 3 && version !== 4) return undefined;
  const kind = layout.getUint8(1);
  if (kind === 0) return layout.getUint16(2, true);
  if (kind === 1) return Number(layout.getBigUint64(10, true));
  if (kind !== 2 || version !== 3) return undefined;
  const root = layout.getBigUint64(3, true);
  // An address of all ones: no chunk was ever written.
  return root === 0xffff_ffff_ffff_ffffn ? 0 : treeBytes(file, Number(root), layout.getUint8(2), 256);
}

function treeBytes(file: FileBytes, address: number, rank: number, above: number): number {
  const head = view(file.read(address, 24));
  const level = head.getUint8(5);
  // Levels fall towards the leaves, so a circle ends.
  if (level >= above) throw new RangeError('B-tree levels do not fall');
  const count = head.getUint16(6, true);
  const key = 8 + 8 * rank;
  const entries = view(file.read(address + 24, count * (key + 8)));
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

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
