import { type ElementaryInfo, isShapeName } from '@prune/core';

/**
 * Whether the notebook keeps a value as an attribute of the root group: strings, tensors of one element of whatever shape, and the two numbers
 * of `.int_repr.shape`.
 */
export function isAttribute(name: string, { dtype, shape }: ElementaryInfo): boolean {
  if (dtype === 'string' || shape.every((dimension) => dimension === 1)) return true;
  return isShapeName(name) && shape.length === 1 && shape[0] <= 8;
}
