import { plainBytes } from '../byte-sources/plain-bytes.js';
import { checkArgument } from '../errors/check-argument.js';
import { PruneError } from '../errors/prune-error.js';
import { checkLimit, DEFAULT_LIMITS, type Limits } from '../limits/limits.js';

/** Every dtype that a checkpoint or store may hold: its bytes an element and the array that holds it. */
export const DTYPES = {
  bool: { bytes: 1, array: Uint8Array },
  uint8: { bytes: 1, array: Uint8Array },
  int8: { bytes: 1, array: Int8Array },
  uint16: { bytes: 2, array: Uint16Array },
  int16: { bytes: 2, array: Int16Array },
  uint32: { bytes: 4, array: Uint32Array },
  int32: { bytes: 4, array: Int32Array },
  int64: { bytes: 8, array: BigInt64Array },
  /** IEEE binary16, kept as its bits. */
  float16: { bytes: 2, array: Uint16Array },
  /** The upper half of a float32, kept as its bits. */
  bfloat16: { bytes: 2, array: Uint16Array },
  float32: { bytes: 4, array: Float32Array },
  float64: { bytes: 8, array: Float64Array },
} as const;

export type Dtype = keyof typeof DTYPES;

/** The typed array that holds elements of dtype `D`. */
export type TensorData<D extends Dtype = Dtype> = InstanceType<(typeof DTYPES)[D]['array']>;

/** Dtype and shape, without the elements. `shape` is `[]` for a scalar. */
export interface TensorInfo<D extends Dtype = Dtype> {
  readonly dtype: D;
  readonly shape: readonly number[];
}

/** An n-dimensional array: row-major, contiguous; `data.length` is the product of `shape`. Views keep their byteOffset. */
export interface Tensor<D extends Dtype = Dtype> extends TensorInfo<D> {
  readonly data: TensorData<D>;
}

/** Whether `name` is a dtype of {@link DTYPES}. */
export function isDtype(name: unknown): name is Dtype {
  return typeof name === 'string' && Object.hasOwn(DTYPES, name);
}

/**
 * The number of elements of a shape, checked: every dimension a safe integer >= 0 and the bytes within `limits`.
 * Throws `corrupt` or `limit`.
 */
export function elementCount(
  info: TensorInfo,
  place: { where?: string; tensor?: string } = {},
  limits: Limits = DEFAULT_LIMITS,
): number {
  checkLimit('too many dimensions', info.shape.length, limits.rank, place);
  let count = 1;
  for (const dimension of info.shape) {
    if (!Number.isSafeInteger(dimension) || dimension < 0) {
      throw new PruneError('corrupt', {
        ...place,
        what: 'bad shape',
        got: `[${info.shape.join(', ')}]`,
        wanted: 'integers >= 0',
      });
    }
    count *= dimension;
  }
  checkLimit('tensor is too large (bytes)', count * DTYPES[info.dtype].bytes, limits.tensorBytes, place);
  return count;
}

/** A tensor over `data`, not copied. Throws `mismatch` when the array's type or length does not fit, `limit` or `corrupt` as {@link elementCount}. */
export function tensor<D extends Dtype>(
  dtype: D,
  shape: readonly number[],
  data: TensorData<D>,
  place: { where?: string; tensor?: string } = {},
  limits: Limits = DEFAULT_LIMITS,
): Tensor<D> {
  checkDtype(dtype, place);
  checkArgument(Array.isArray(shape), { ...place, what: 'shape of a tensor', wanted: 'a list of integers' }, shape);
  checkArgument(data != null, { ...place, what: 'data of a tensor', wanted: DTYPES[dtype].array.name }, data);
  const count = elementCount({ dtype, shape }, place, limits);
  if (!(data instanceof DTYPES[dtype].array) || data.length !== count) {
    throw new PruneError('mismatch', {
      ...place,
      what: 'array does not fit its tensor',
      got: `${data.constructor.name} of ${data.length}`,
      wanted: `${DTYPES[dtype].array.name} of ${count} (${dtype} [${shape.join(', ')}])`,
    });
  }
  return { dtype, shape, data };
}

function checkDtype(dtype: unknown, place: { where?: string } = {}): void {
  checkArgument(isDtype(dtype), { ...place, what: 'dtype of a tensor', wanted: Object.keys(DTYPES).join(', ') }, dtype);
}

/** A tensor of shape `[]`. */
export function scalar<D extends Dtype>(dtype: D, value: TensorData<D>[number]): Tensor<D> {
  checkDtype(dtype);
  return { dtype, shape: [], data: (DTYPES[dtype].array as { of(v: unknown): unknown }).of(value) as TensorData<D> };
}

/** The tensor's little-endian bytes: a view, not a copy. */
export function tensorBytes({ data }: Tensor): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/**
 * A tensor from its little-endian bytes: a view where the offset is aligned, else a copy.
 * Throws `mismatch` when there are not exactly as many bytes as dtype and shape need, `limit` or `corrupt` as {@link elementCount}.
 */
export function tensorFromBytes<D extends Dtype>(
  dtype: D,
  shape: readonly number[],
  bytes: Uint8Array,
  place: { where?: string; tensor?: string } = {},
  limits: Limits = DEFAULT_LIMITS,
): Tensor<D> {
  const count = elementCount({ dtype, shape }, place, limits);
  const { bytes: width, array } = DTYPES[dtype];
  if (bytes.byteLength !== count * width) {
    throw new PruneError('mismatch', {
      ...place,
      what: 'tensor has the wrong number of bytes',
      got: bytes.byteLength,
      wanted: `${count * width} (${dtype} [${shape.join(', ')}])`,
    });
  }
  const aligned = bytes.byteOffset % width === 0 ? bytes : plainBytes(bytes).slice();
  return { dtype, shape, data: new array(aligned.buffer as ArrayBuffer, aligned.byteOffset, count) as TensorData<D> };
}
