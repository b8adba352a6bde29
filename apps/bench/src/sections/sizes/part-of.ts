import type { Elementary } from '@prune/core';
import type { SizeParts } from './size-row.js';

/** Which part of a file an entry of the elementary form belongs to. */
export function partOf(
  name: string,
  value: Pick<Exclude<Elementary, string>, 'dtype' | 'shape'> | string,
): keyof SizeParts {
  if (/\.int_repr\.(?:indices|indptr)$/.test(name)) return 'mask';
  if (name.endsWith('.int_repr.data')) return 'values';
  if (typeof value === 'string' || value.shape.length === 0) return 'overhead';
  // Scales and zero points of a matrix are what its codes mean; a table's codes and a float tensor are data.
  return /\.(?:scale|zero_point|int_repr\.shape)$/.test(name) ? 'overhead' : 'floats';
}
