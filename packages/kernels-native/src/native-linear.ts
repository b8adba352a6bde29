import { PruneError } from '@prune/core';
import type { AnyLinear, LinearMode, LoadedLinear } from '@prune/kernels';
import { checkFinite, checkLinear, checkTokens, type OpenParts, openLinear, withinMemory } from '@prune/kernels/spec';
import { STATUSES } from './addon.js';
import type { NativeTarget } from './native-encoder.js';
import { checkStatus } from './native-status.js';
import { packNative } from './pack-native.js';

/** A Linear that the C side computes on the calling thread; see `Engine.loadLinear`. */
export function loadNativeLinear(
  linear: AnyLinear,
  { profile, rowwise }: LinearMode,
  tensor: string,
  { addon, kernels }: NativeTarget,
  parts: OpenParts,
): LoadedLinear {
  const [rows, columns] = checkLinear(linear, undefined, undefined, { tensor });
  const handle = packNative(addon, kernels, linear, profile, tensor);
  const apply = (x: Float32Array) => {
    const tokens = checkTokens(x, columns);
    const y = withinMemory('results of a Linear', () => new Float32Array(tokens * rows));
    if (tokens === 0) return y;
    const status = addon.apply(handle, rowwise, x, y);
    if (STATUSES[status] === 'input-not-finite') {
      throw new PruneError('not-finite', {
        where: 'kernels',
        what: 'input of a Linear',
        got: 'NaN or an infinity',
        wanted: 'finite numbers',
      });
    }
    checkStatus(status, 'memory for a Linear', tensor);
    checkFinite(y, 'results of a Linear', tensor);
    return y;
  };
  const work = {
    rows,
    get memoryBytes() {
      return addon.linearBytes(handle);
    },
    apply,
    free: () => addon.free(handle),
  };
  return openLinear(work, tensor, parts);
}
