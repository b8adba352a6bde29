import { DTYPES, type Dtype, PruneError, type Tensor, tensor } from '@prune/core';

/** The integer dtypes, with their ranges. */
const RANGES = {
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32_768, 32_767],
  uint16: [0, 65_535],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1],
  int64: [-(2 ** 63), 2 ** 63],
} as const satisfies Partial<Record<Dtype, readonly [number, number]>>;

/** A dtype of integers. */
export type IntegerDtype = keyof typeof RANGES;

/** Whether a dtype is one of integers. */
export function isIntegerDtype(dtype: Dtype): dtype is IntegerDtype {
  return Object.hasOwn(RANGES, dtype);
}

/**
 * A tensor of integers in another integer dtype: numpy on Windows writes int32 where the notebook has int64, scipy
 * chooses int64 for large matrices, other writers are unsigned. Throws `corrupt` for a value out of the dtype's range.
 */
export function toIntegerDtype(value: Tensor, dtype: IntegerDtype, name: string): Tensor {
  if (value.dtype === dtype) return value;
  const given: ArrayLike<number | bigint> = value.data;
  const [least, most] = RANGES[dtype];
  for (let i = 0; i < given.length; i++) {
    const element = given[i];
    if (element >= least && element <= most) continue;
    throw new PruneError('corrupt', {
      where: 'csr',
      tensor: name,
      what: `element ${i} is out of range`,
      got: `${element}`,
      wanted: dtype,
    });
  }
  const data = new DTYPES[dtype].array(given.length);
  for (let i = 0; i < given.length; i++) data[i] = data instanceof BigInt64Array ? BigInt(given[i]) : Number(given[i]);
  return tensor(dtype, value.shape, data, { where: 'csr', tensor: name });
}
