import { DTYPES, type Dtype, elementCount, type Limits, PruneError, type TensorInfo } from '@prune/core';
import type { TensorReference } from './torch-pickle.js';

/** Bytes `[begin, end)` of a storage, and whether they are the tensor's elements in row-major order already. */
export interface Extent {
  readonly begin: number;
  readonly end: number;
  readonly contiguous: boolean;
}

// An expanded tensor (stride 0) repeats its storage: a file of a few bytes could ask for gigabytes. Real ones (position_ids) are tiny.
const MAX_EXPANDED_BYTES = 1 << 24;

/** The bytes of its storage that a tensor spans, checked against the storage and `limits`. Throws `corrupt`, `limit`. */
export function extentOf(reference: TensorReference, tensor: string, limits: Limits): Extent {
  const { storage, dtype, shape, strides } = reference;
  const count = elementCount(reference, { tensor }, limits);
  const width = DTYPES[dtype].bytes;
  const storageWidth = DTYPES[storage.dtype].bytes;
  const viewBytes = storage.viewElements * storageWidth;
  const begin = reference.offset * width;
  let last = 0;
  let packed = 1;
  let contiguous = true;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== packed) contiguous = false;
    last += (shape[axis] - 1) * strides[axis];
    packed *= shape[axis];
  }
  const end = count === 0 ? begin : begin + (last + 1) * width;
  if (!(end <= viewBytes)) {
    throw new PruneError('corrupt', {
      what: 'tensor reaches past its storage (bytes)',
      got: end,
      wanted: `at most ${viewBytes}`,
      tensor,
    });
  }
  if (count * width > viewBytes && count * width > MAX_EXPANDED_BYTES) {
    throw new PruneError('limit', {
      what: 'expanded tensor is too large (bytes)',
      got: count * width,
      wanted: `at most ${MAX_EXPANDED_BYTES}`,
      tensor,
    });
  }
  const shift = storage.viewOffset * storageWidth;
  return { begin: shift + begin, end: shift + end, contiguous: contiguous || count === 0 };
}

/** The elements of a strided tensor in row-major order; `span` are the bytes of its {@link Extent}. */
export function gather(
  info: TensorInfo<Dtype> & { readonly strides: readonly number[] },
  span: Uint8Array,
): Uint8Array {
  const { shape, strides } = info;
  const width = DTYPES[info.dtype].bytes;
  const count = shape.reduce((product, size) => product * size, 1);
  const out = new Uint8Array(count * width);
  if (count === 0) return out;
  const bytes = span.byteOffset % width === 0 ? span : span.slice();
  const Words = { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array, 8: BigUint64Array }[width];
  const source = new Words(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength / width);
  const target = new Words(out.buffer);
  // The innermost axis is a plain loop; an odometer steps the outer ones.
  const inner = shape.length - 1;
  const index = new Array<number>(shape.length).fill(0);
  const length = shape.length === 0 ? 1 : shape[inner];
  const step = shape.length === 0 ? 0 : strides[inner];
  let from = 0;
  for (let to = 0; to < count; to += length) {
    for (let i = 0; i < length; i++) target[to + i] = source[from + i * step];
    for (let axis = inner - 1; axis >= 0; axis--) {
      from += strides[axis];
      if (++index[axis] < shape[axis]) break;
      from -= shape[axis] * strides[axis];
      index[axis] = 0;
    }
  }
  return out;
}
