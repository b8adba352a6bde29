import type { Dtype, StateDict, Tensor, TensorPieces } from '@prune/core';
import { widenToFloat32 } from './widen-to-float32.js';

/** The same state dict with its float16 and bfloat16 tensors as float32, each widened when it is read; other tensors as they are. */
export function widenFloats(stateDict: StateDict): StateDict {
  return {
    keys: () => stateDict.keys(),
    async get(name): Promise<Tensor | undefined> {
      const tensor = await stateDict.get(name);
      return tensor !== undefined && isHalf(tensor.dtype) ? widenToFloat32(tensor) : tensor;
    },
    pieces(name) {
      const pieces = stateDict.pieces?.(name);
      return pieces !== undefined && isHalf(pieces.dtype) ? widenPieces(pieces) : pieces;
    },
  } satisfies Required<StateDict>;
}

function isHalf(dtype: Dtype): boolean {
  return dtype === 'float16' || dtype === 'bfloat16';
}

function widenPieces(half: TensorPieces): TensorPieces {
  return {
    dtype: 'float32',
    shape: half.shape,
    async *pieces() {
      for await (const piece of half.pieces()) yield widenToFloat32(piece);
    },
  };
}
