import { DTYPES, type Limits, locateError, type TensorInfo, type TensorPieces, tensorFromBytes } from '@prune/core';

/** A tensor over the pieces of its bytes, each a whole number of elements. What fails is located at `place`. */
export function tensorPieces(
  { dtype, shape }: TensorInfo,
  bytes: () => AsyncIterable<Uint8Array>,
  place: { readonly where: string; readonly tensor: string },
  limits: Limits,
): TensorPieces {
  return {
    dtype,
    shape,
    async *pieces() {
      try {
        for await (const piece of bytes()) {
          yield tensorFromBytes(dtype, [piece.length / DTYPES[dtype].bytes], piece, place, limits);
        }
      } catch (error) {
        throw locateError(error, place);
      }
    },
  };
}
