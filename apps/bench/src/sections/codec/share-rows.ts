import type { CsrMatrix } from '@prune/core';
import { openCsr } from '@prune/sparse-codec';

/** The rows of a stream that are the `share`-th of `shares`: whole blocks, so that nothing is decoded twice. */
export function shareRows(stream: Uint8Array, share: number, shares: number): CsrMatrix {
  const { blocks, shape, decodeRows } = openCsr(stream);
  const rowAt = (part: number) => blocks[Math.round((part * blocks.length) / shares)]?.from ?? shape[0];
  return decodeRows(rowAt(share), rowAt(share + 1));
}
