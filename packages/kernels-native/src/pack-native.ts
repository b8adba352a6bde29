import { type QuantizationProfile, takeRows } from '@prune/core';
import type { LayerLinear } from '@prune/kernels';
import { rowsOf } from '@prune/kernels/spec';
import { type Addon, type NativeHandle, STATUSES } from './addon.js';
import { checkStatus } from './native-status.js';

/** Profiles in the order of pn_profile. */
const PROFILES: readonly QuantizationProfile[] = ['fbgemm', 'fbgemm-1.5', 'qnnpack', 'onnxruntime'];

/** The place of a profile in pn_profile. */
export function profileNumber(profile: QuantizationProfile): number {
  return PROFILES.indexOf(profile);
}

/**
 * A Linear that `checkLinear` has passed, packed by the C side. Throws `corrupt`, with `tensor`, for a matrix of rows
 * that are not those of its shape, what they throw, and `limit`.
 */
export function packNative(
  addon: Addon,
  kernels: number,
  linear: LayerLinear,
  profile: QuantizationProfile,
  tensor: string,
): NativeHandle {
  const what = 'memory of an encoder';
  if (linear.kind === 'float') {
    const [rows, columns] = linear.shape;
    return handleOf(addon.floatLinear(kernels, rows, columns, linear.weight, linear.bias), what, tensor);
  }
  const { weight, scales, bias } = linear;
  const [rows, columns] = weight.shape;
  const given = addon.linear(
    kernels,
    profileNumber(profile),
    rows,
    columns,
    Float32Array.from(scales),
    bias?.data ?? null,
  );
  const handle = handleOf(given, what, tensor);
  try {
    if ('indptr' in weight) checkStatus(addon.rows(handle, weight.indptr, weight.indices, weight.data), what, tensor);
    else {
      takeRows(
        rowsOf(weight),
        (_row, indices, data, start, end) => {
          const stop = addon.row(handle, indices, data, start, end);
          if (stop < 0) checkStatus(-stop, what, tensor);
          return stop;
        },
        { where: 'kernels', tensor },
      );
    }
    checkStatus(addon.endLinear(handle), what, tensor);
    return handle;
  } catch (error) {
    addon.free(handle);
    throw error;
  }
}

/** What a function gave that gives a handle, or a status. */
export function handleOf(given: NativeHandle | number, what: string, tensor?: string): NativeHandle {
  if (typeof given !== 'number') return given;
  checkStatus(given, what, tensor);
  throw new RangeError(`${STATUSES[given]} is not a handle`);
}
