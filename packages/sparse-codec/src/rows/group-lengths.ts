import { BinaryDecoder, BinaryEncoder, BitContexts } from '../binary-coder.js';

/** The most bits that a length has above the least one. */
export const MAX_LENGTH_BITS = 31;

/** Contexts of the bits that are told apart by all bits above them; each further bit has a context of its own. */
const TREE = 1 << 12;

/** The lengths of groups, coded. */
export interface CodedLengths {
  /** The least length. */
  readonly least: number;
  /** Bits of the number that is coded for each group: half of what it is longer than the least one. */
  readonly bits: number;
  readonly bytes: Uint8Array;
}

/**
 * Codes even lengths of groups as adaptive bits. Whoever reads rows reads them all first, and most differ little: of
 * the words of `mini-qa` they take 5 bits each.
 */
export function writeLengths(lengths: Uint32Array): CodedLengths {
  const least = lengths.reduce((min, length) => Math.min(min, length), lengths[0]);
  const most = lengths.reduce((max, length) => Math.max(max, length), 0);
  const bits = 32 - Math.clz32((most - least) / 2);
  const coder = new BinaryEncoder();
  const contexts = new BitContexts(TREE + MAX_LENGTH_BITS);
  for (const length of lengths) {
    const more = (length - least) / 2;
    let node = 1;
    for (let i = bits - 1; i >= 0; i--) {
      const bit = (more >>> i) & 1;
      coder.bit(contexts, node < TREE ? node : TREE + i, bit);
      node = nextNode(node, bit);
    }
  }
  return { least, bits, bytes: coder.finish() };
}

/** Where each of `groups` groups starts, and after the last one where it ends. Throws `corrupt` for bytes left over. */
export function readLengths(bytes: Uint8Array, groups: number, least: number, bits: number): Float64Array {
  const coder = new BinaryDecoder(bytes);
  const contexts = new BitContexts(TREE + MAX_LENGTH_BITS);
  const starts = new Float64Array(groups + 1);
  for (let g = 0; g < groups; g++) {
    let node = 1;
    let more = 0;
    for (let i = bits - 1; i >= 0; i--) {
      const bit = coder.bit(contexts, node < TREE ? node : TREE + i);
      more = 2 * more + bit;
      node = nextNode(node, bit);
    }
    starts[g + 1] = starts[g] + least + 2 * more;
  }
  coder.finish();
  return starts;
}

/** The bits of a number so far, with a one before them, for as long as they are below the size of the tree. */
function nextNode(node: number, bit: number): number {
  return node < TREE ? 2 * node + bit : node;
}
