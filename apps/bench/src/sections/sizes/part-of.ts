import { type Elementary, EMBEDDING_PARTS, intReprArrayOf, LINEAR_PARTS, splitPartName } from '@prune/core';
import type { SizeParts } from './size-row.js';

/** Parts of a quantized module that say what its codes mean. */
const MEANINGS: readonly (string | undefined)[] = [LINEAR_PARTS, EMBEDDING_PARTS].flatMap((parts) => [
  parts.scale,
  parts.zeroPoint,
  parts.shape,
]);

/** Which part of a file an entry of the elementary form belongs to. */
export function partOf(
  name: string,
  value: Pick<Exclude<Elementary, string>, 'dtype' | 'shape'> | string,
): keyof SizeParts {
  const array = intReprArrayOf(name);
  if (array !== undefined) return array === 'data' ? 'values' : 'mask';
  if (typeof value === 'string' || value.shape.length === 0) return 'overhead';
  // Scales and zero points of a matrix are what its codes mean; a table's codes and a float tensor are data.
  return MEANINGS.includes(splitPartName(name)?.part) ? 'overhead' : 'floats';
}
