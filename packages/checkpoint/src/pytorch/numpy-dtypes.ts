import type { Dtype } from '@prune/core';

/** numpy's codes of dtypes. */
export const NUMPY_DTYPES: ReadonlyMap<string, Dtype> = new Map<string, Dtype>([
  ['b1', 'bool'],
  ['i1', 'int8'],
  ['u1', 'uint8'],
  ['i2', 'int16'],
  ['u2', 'uint16'],
  ['i4', 'int32'],
  ['u4', 'uint32'],
  ['i8', 'int64'],
  ['f2', 'float16'],
  ['f4', 'float32'],
  ['f8', 'float64'],
]);
