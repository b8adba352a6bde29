import { checkLimit, type Limits } from '@prune/core';
import type { FileBytes } from './file-bytes.js';

/**
 * A file whose structures cost at most a fixed multiple of its size to read. HDF5's structures are addresses, so many
 * may point at the same bytes, and what they describe can be exponentially larger than the file. Everything that walks
 * through structures pays from one account: bytes read, bytes of names, and what is kept of each node. Throws `limit`
 * when the account is empty.
 */
export interface BudgetedFile extends FileBytes {
  readonly limits: Limits;
  /** Pays for bytes that another reader will copy. */
  pay(bytes: number): void;
  /** Pays for one object that is made for a structure: a message, a chunk, an object of a heap. */
  payNode(): void;
  /**
   * Pays for a name before it is copied: names can overlap in the file. Throws `limit` for one that is too long by
   * itself, too.
   */
  payName(bytes: number): void;
}

/**
 * A file of structures alone is read fewer than three times: by the own reader, while looking for heaps, and by the
 * checks before HDF5 is asked. The rest is for nodes.
 */
const MOST_PASSES = 6;
/** So that small files may use a header for several names. 1 MiB takes some milliseconds. */
const LEAST_BUDGET = 2 ** 20;
/** About what an object in memory takes; a chunk takes 56 bytes. */
const NODE_BYTES = 64;

/** The file, with an account of its own. */
export function budgetedFile(file: FileBytes, limits: Limits): BudgetedFile {
  const most = MOST_PASSES * file.size + LEAST_BUDGET;
  let spent = 0;
  function pay(bytes: number) {
    spent += bytes;
    checkLimit('the structures take too much reading for a file of this size (bytes)', spent, most);
  }
  return {
    size: file.size,
    base: file.base,
    limits,
    pay,
    read(offset, length) {
      pay(length);
      return file.read(offset, length);
    },
    borrow(offset, length) {
      pay(length);
      return file.borrow(offset, length);
    },
    payNode: () => pay(NODE_BYTES),
    payName(bytes) {
      checkLimit('name is too long (bytes)', bytes, limits.nameLength);
      pay(bytes);
    },
  };
}
