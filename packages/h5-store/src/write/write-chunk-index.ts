import { ByteBuilder } from '../format/byte-builder.js';
import { UNDEFINED_ADDRESS } from '../format/constants.js';

/** One stored chunk. */
export interface StoredChunk {
  /** Index of its first element, one number a dimension. */
  readonly offset: readonly number[];
  readonly address: number;
  readonly bytes: number;
}

/**
 * Half the most children of a node. The library's own 32 makes a node of 2,096 bytes for every dataset: 0.7 MB in a BERT-base file.
 * Almost every dataset here has one chunk, and nodes of 2 children would do; 4 keep the tree of a word embedding flat.
 */
export const CHUNK_INDEX_K = 2;

/**
 * A version 1 B-tree over `chunks` (in row-major order), as bytes to be put at `base`, the root last.
 * Source: HDF5 File Format Specification 3.0, section III.A.1 (node type 1).
 */
export function chunkIndex(
  chunks: readonly StoredChunk[],
  end: readonly number[],
  base: number,
): { bytes: Uint8Array; root: number } {
  const tree = new ByteBuilder();
  const keyBytes = 8 + 8 * (end.length + 1);
  const nodeBytes = 24 + (2 * CHUNK_INDEX_K + 1) * keyBytes + 2 * CHUNK_INDEX_K * 8;
  const children = 2 * CHUNK_INDEX_K;
  let level = 0;
  let below: readonly StoredChunk[] = chunks;
  for (;;) {
    const nodes: StoredChunk[] = [];
    const count = Math.ceil(below.length / children);
    const levelBase = base + tree.length;
    for (let n = 0; n < count; n++) {
      const entries = below.slice(n * children, (n + 1) * children);
      const start = tree.length;
      tree.text('TREE').u8(1).u8(level).u16(entries.length);
      tree.u64(n === 0 ? UNDEFINED_ADDRESS : levelBase + (n - 1) * nodeBytes);
      tree.u64(n === count - 1 ? UNDEFINED_ADDRESS : levelBase + (n + 1) * nodeBytes);
      for (const { offset, bytes, address } of entries) key(tree, bytes, offset).u64(address);
      const next = below[(n + 1) * children];
      key(tree, next?.bytes ?? 0, next?.offset ?? end);
      tree.zeros(nodeBytes - (tree.length - start));
      nodes.push({ offset: entries[0].offset, bytes: entries[0].bytes, address: base + start });
    }
    if (count === 1) return { bytes: tree.bytes(), root: nodes[0].address };
    below = nodes;
    level++;
  }
}

/** Stored bytes, no filter skipped, and the first element: one number a dimension and 0 for the bytes of the element. */
function key(tree: ByteBuilder, bytes: number, offset: readonly number[]): ByteBuilder {
  tree.u32(bytes).u32(0);
  for (const dimension of offset) tree.u64(dimension);
  return tree.u64(0);
}
