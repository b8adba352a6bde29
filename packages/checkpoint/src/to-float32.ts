import { PruneError, type Tensor, toFloat32 as widened } from '@prune/core';

/**
 * A float32, float16 or bfloat16 tensor as float32, every value exactly; a float32 tensor is returned as it is.
 * Throws `unsupported` for any other dtype: float64, which {@link widened} would round, or what is no weight.
 */
export function toFloat32(source: Tensor, place: { where?: string; tensor?: string } = {}): Tensor<'float32'> {
  if (source.dtype !== 'float64') return widened(source, place);
  throw new PruneError('unsupported', {
    ...place,
    what: 'tensor has no exact float32 form',
    got: source.dtype,
    wanted: 'float32, float16 or bfloat16',
  });
}
