import type { Limits } from '@prune/core';

/** The bytes that a file of `fileBytes` may expand to in all, inflated or as views of one storage. */
export function maxExpandedBytes(fileBytes: number, { expansion }: Limits): number {
  return 2 ** 26 + expansion * fileBytes;
}
