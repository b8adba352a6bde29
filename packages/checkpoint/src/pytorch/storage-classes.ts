import type { Dtype } from '@prune/core';

/** torch's classes of storages, and the dtype that holds their elements. The codes of quint4x2 are two a byte. */
export const STORAGE_CLASSES: ReadonlyMap<string, Dtype> = new Map<string, Dtype>([
  ['BoolStorage', 'bool'],
  ['ByteStorage', 'uint8'],
  ['CharStorage', 'int8'],
  ['ShortStorage', 'int16'],
  ['IntStorage', 'int32'],
  ['LongStorage', 'int64'],
  ['HalfStorage', 'float16'],
  ['BFloat16Storage', 'bfloat16'],
  ['FloatStorage', 'float32'],
  ['DoubleStorage', 'float64'],
  ['UntypedStorage', 'uint8'],
  ['QInt8Storage', 'int8'],
  ['QUInt8Storage', 'uint8'],
  ['QUInt4x2Storage', 'uint8'],
]);
