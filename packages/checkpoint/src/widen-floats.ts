import type { StateDict, Tensor } from '@prune/core';
import { widenToFloat32 } from './widen-to-float32.js';

/** The same state dict with its float16 and bfloat16 tensors as float32, each widened when it is read; other tensors as they are. */
export function widenFloats(stateDict: StateDict): StateDict {
  return {
    keys: () => stateDict.keys(),
    async get(name): Promise<Tensor | undefined> {
      const tensor = await stateDict.get(name);
      return tensor?.dtype === 'float16' || tensor?.dtype === 'bfloat16' ? widenToFloat32(tensor) : tensor;
    },
  };
}
