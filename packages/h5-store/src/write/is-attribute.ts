import { type ElementaryInfo, intReprArrayOf, isShapeName } from '@prune/core';

/**
 * Whether the writer stores a value as an attribute of the root group; otherwise it stores a dataset. This is the
 * notebook's rule. Attributes are strings, tensors of one element whatever their rank, and the two numbers of
 * `.int_repr.shape`. The arrays of a sparse matrix are datasets whatever their length: in the notebook they are
 * scipy's, and it asks only PyTorch's tensors for their number of elements. The reader finds a value in either place.
 */
export function isAttribute(name: string, { dtype, shape }: ElementaryInfo): boolean {
  if (dtype === 'string') return true;
  if (intReprArrayOf(name) !== undefined) return false;
  if (shape.every((dimension) => dimension === 1)) return true;
  return isShapeName(name) && shape.length === 1 && shape[0] <= 8;
}
