import { PruneError } from '@prune/core';
import type { AnyLinear, LinearMode, LoadedLinear } from '@prune/kernels';
import { checkFinite, checkLinear, checkTokens, closedError, type OpenParts, withinMemory } from '@prune/kernels/spec';
import { type NativeHandle, STATUSES } from './addon.js';
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
  let open: NativeHandle | undefined = packNative(addon, kernels, linear, profile, tensor);
  const close = () => {
    if (open !== undefined) addon.free(open);
    open = undefined;
    parts.delete(close);
  };
  parts.add(close);
  return {
    rows,
    get memoryBytes() {
      return open === undefined ? 0 : addon.linearBytes(open);
    },
    apply(x) {
      if (open === undefined) throw closedError('Linear', tensor);
      const tokens = checkTokens(x, columns);
      const y = withinMemory('results of a Linear', () => new Float32Array(tokens * rows));
      if (tokens === 0) return y;
      const status = addon.apply(open, rowwise, x, y);
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
    },
    close,
  };
}
