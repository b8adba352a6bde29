import { MAX_DEFLATE_RATIO } from '@prune/core';
import { corrupt } from './corrupt.js';
import { SCALE } from './gap-tables.js';

/**
 * The most bytes that a stored byte may stand for. It is DEFLATE's ratio, so that a file gains nothing for an attacker
 * by naming this codec instead of the ones behind it, which take what expands further. Real matrices reach 6. A single
 * nonzero in 3,072 x 3,072 takes 53 bytes and reaches 928; one in 30,522 x 768 is left to the next codec.
 */
export const MAX_EXPANSION = MAX_DEFLATE_RATIO;

/**
 * Rows of a matrix that is not plain. An empty row may cost no bits, and the decoder keeps a byte for each beside
 * `indptr`: 16 MB at most. Vocabularies of 250,000 rows exist.
 */
export const MAX_ROWS = 2 ** 24;

/** Nonzeros that a block has at least, on average, apart from two blocks. The encoder's smallest have 8,192. */
export const LEAST_BLOCK_NONZEROS = 8192;

/** What an encoded matrix holds, as far as decoding it takes memory and time. */
export interface MatrixSize {
  readonly rows: number;
  readonly columns: number;
  readonly nnz: number;
  /** Groups a side of the contexts of its values; 1 without contexts. */
  readonly groups: number;
}

/**
 * Bytes that decoding takes: `indptr`, 3 bytes a nonzero for its index and value, 12 bytes a column for about six slots
 * of 2 bytes, and a table of frequencies for each context after the first.
 */
export function decodedBytes({ rows, columns, nnz, groups }: MatrixSize): number {
  return 4 * (rows + 1) + 3 * nnz + 12 * columns + 4 * SCALE * (groups * groups - 1);
}

/** Throws `corrupt` when `stored` bytes may not stand for `decoded` ones. */
export function checkExpansion(what: string, decoded: number, stored: number): void {
  if (decoded > MAX_EXPANSION * stored) {
    throw corrupt(
      `${what} expands too far`,
      `${decoded} bytes from ${stored}`,
      `at most ${MAX_EXPANSION} for each stored byte`,
    );
  }
}
