import type { NamedTensor, Pacer } from '@prune/core';
import type { FormReader } from './directory.js';
import type { RowDecoder, RowEncoder } from './row-form.js';

/**
 * Rows that a table has at least: for fewer, what the groups say costs more than a reader saves who wants some of them.
 */
export const LEAST_ROWS = 64;

/** What the declared tensors of a block are to this codec. */
export interface Table {
  readonly rows: number;
  /** Decoded bytes of a row, of all tensors. */
  readonly rowBytes: number;
  /** The arrays of a `RowMemory`: which of the block's tensors each is, and its elements a row. */
  readonly arrays: readonly { readonly tensor: number; readonly width: number }[];
  /** Looks at all rows and chooses their form. */
  fit(tensors: readonly NamedTensor[], pacer: Pacer): Promise<RowEncoder>;
  /** Opens a form of {@link fit}. Throws `corrupt`. */
  open(form: number, source: FormReader): RowDecoder;
}

/** Elements of a row, of all tensors: what the work on it is in proportion to. */
export function rowElements({ arrays }: Table): number {
  return arrays.reduce((sum, { width }) => sum + width, 0);
}
