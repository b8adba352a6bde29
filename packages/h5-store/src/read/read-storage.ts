import { UNDEFINED_ADDRESS } from '../format/constants.js';
import { viewOf } from './file-bytes.js';
import type { BudgetedFile } from './read-budget.js';
import { uint64, want } from './unknown-structure.js';

/** Where the elements of a dataset are, and what was done to them. */
export type Storage =
  /** As they are, in one run of the file. */
  | { readonly kind: 'run'; readonly address: number; readonly bytes: number }
  /** As they are, here. */
  | { readonly kind: 'here'; readonly data: Uint8Array }
  | ChunkedStorage;

/** In blocks of one shape, in row-major order, none missing. */
export interface ChunkedStorage {
  readonly kind: 'chunks';
  readonly shape: readonly number[];
  readonly chunks: readonly Chunk[];
  readonly filters: Filters;
}

/** A stored chunk. */
export interface Chunk {
  readonly address: number;
  readonly bytes: number;
  /** The filters that were left out, a bit each in the order of the pipeline: what deflate would have made longer. */
  readonly mask: number;
}

/** The filters of a dataset in the order in which they were applied. */
export type Filters = readonly ('shuffle' | 'gzip')[];

/** A B-tree key and child take this much for each chunk, at least. */
const LEAST_INDEX_BYTES = 32;

/** `TREE`, little-endian. */
const TREE = 0x45455254;

/**
 * The storage in a version 3 layout message, `shape` and `width` being the dataset's: compact, contiguous, or chunked with a version 1 B-tree in which
 * every chunk is there. Throws `UnknownStructure` or a RangeError. Source: HDF5 File Format Specification 3.0, sections IV.A.2.i and III.A.1.
 */
export function readStorage(
  file: BudgetedFile,
  body: DataView,
  filters: Filters,
  shape: readonly number[],
  width: number,
): Storage {
  want(body.getUint8(0) === 3, 'version of a layout');
  const bytes = shape.reduce((product, dimension) => product * dimension, width);
  const kind = body.getUint8(1);
  if (kind === 2) return chunkedStorage(file, body, filters, shape, width);
  want(filters.length === 0, 'filters without chunks');
  if (kind === 0) {
    want(body.getUint16(2, true) === bytes, 'size of compact data');
    return { kind: 'here', data: new Uint8Array(body.buffer, body.byteOffset + 4, bytes).slice() };
  }
  want(kind === 1, 'class of a layout');
  if (bytes === 0) return { kind: 'here', data: new Uint8Array() };
  const address = uint64(body, 2);
  want(uint64(body, 10) === bytes && address + bytes <= file.size, 'contiguous data');
  return { kind: 'run', address, bytes };
}

function chunkedStorage(
  file: BudgetedFile,
  body: DataView,
  filters: Filters,
  shape: readonly number[],
  width: number,
): Storage {
  const rank = shape.length;
  want(rank > 0 && body.getUint8(2) === rank + 1 && body.getUint32(11 + 4 * rank, true) === width, 'chunk shape');
  const chunk = shape.map((_, d) => body.getUint32(11 + 4 * d, true));
  want(
    chunk.every((dimension) => dimension > 0),
    'chunk shape',
  );
  const grid = shape.map((dimension, d) => Math.ceil(dimension / chunk[d]));
  const count = grid.reduce((product, dimension) => product * dimension, 1);
  want(LEAST_INDEX_BYTES * count <= file.size, 'number of chunks');
  const tree = { file, units: [...chunk, width], grid, count, place: grid.map(() => 0), chunks: [] };
  if (body.getBigUint64(3, true) !== UNDEFINED_ADDRESS) readTree(tree, uint64(body, 3));
  want(tree.chunks.length === count, 'chunks that were never written');
  return { kind: 'chunks', shape: chunk, chunks: tree.chunks, filters };
}

/** A chunk index that is being read. */
interface Tree {
  readonly file: BudgetedFile;
  /** What the offsets in a key are multiples of: the chunk's shape, and the bytes of an element. */
  readonly units: readonly number[];
  /** How many chunks there are in each dimension, and together. */
  readonly grid: readonly number[];
  readonly count: number;
  /** Which chunk is the next, in row-major order. */
  readonly place: number[];
  readonly chunks: Chunk[];
}

/**
 * A node and what is below it: every chunk in its place, so that none is missing, there twice, or out of bounds, and between keys by which HDF5 finds
 * it. `level` is what the node must have; it has children, so that no tree can be walked through for ever.
 */
function readTree(tree: Tree, address: number, level?: number): void {
  const { file, units, grid, count, place, chunks } = tree;
  const head = viewOf(file.read(address, 24));
  const own = head.getUint8(5);
  const children = head.getUint16(6, true);
  want(head.getUint32(0, true) === TREE && head.getUint8(4) === 1, 'B-tree of chunks');
  want(level === undefined || (own === level && children > 0), 'B-tree of chunks');
  const keyBytes = 8 + 8 * units.length;
  // A key in front of every child, and one behind the last.
  const entries = viewOf(file.read(address + 24, children * (keyBytes + 8) + keyBytes));
  let at = 0;
  for (let left = children; left > 0; left--) {
    const child = uint64(entries, at + keyBytes);
    const order = compareKey(entries, at, place, units);
    want(chunks.length < count && (own === 0 ? order === 0 : order <= 0), 'keys of chunks');
    if (own === 0) {
      const bytes = entries.getUint32(at, true);
      want(bytes > 0 && child + bytes <= file.size, 'a chunk lies outside the file');
      file.payNode();
      chunks.push({ address: child, bytes, mask: entries.getUint32(at + 4, true) });
      stepForward(place, grid);
    } else readTree(tree, child, own - 1);
    at += keyBytes + 8;
    // In a leaf the next key is compared exactly anyway.
    if (own > 0 || left === 1) want(compareKey(entries, at, placeBefore(place, grid), units) > 0, 'keys of chunks');
  }
}

/** Whether the key at `at` is before (negative), at, or behind a place, in row-major order; a place has no offset in its element, which is 0. */
function compareKey(entries: DataView, at: number, place: readonly number[], units: readonly number[]): number {
  let order = 0;
  for (let d = 0; d < units.length; d++) {
    const scaled = uint64(entries, at + 8 + 8 * d) / units[d];
    want(Number.isInteger(scaled), 'keys of chunks');
    if (order === 0) order = scaled - (place[d] ?? 0);
  }
  return order;
}

function stepForward(place: number[], grid: readonly number[]): void {
  for (let d = place.length - 1; d >= 0; d--) {
    if (++place[d] < grid[d]) return;
    place[d] = 0;
  }
}

/** The place in front of `place`; in front of the first is the last. */
function placeBefore(place: readonly number[], grid: readonly number[]): number[] {
  const before = [...place];
  for (let d = before.length - 1; d >= 0; d--) {
    if (--before[d] >= 0) break;
    before[d] = grid[d] - 1;
  }
  return before;
}
