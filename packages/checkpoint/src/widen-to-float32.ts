import { PruneError, type Tensor, toFloat32 } from '@prune/core';

/**
 * A float32, float16 or bfloat16 tensor as float32, every value exactly; a float32 tensor is returned as it is.
 * Throws `unsupported` for any other dtype: float64, which {@link toFloat32} would round, or what no weight has.
 */
export function widenToFloat32(source: Tensor, place: { where?: string; tensor?: string } = {}): Tensor<'float32'> {
  if (source.dtype !== 'float64') return toFloat32(source, place);
  throw new PruneError('unsupported', {
    ...place,
    what: 'tensor has no exact float32 form',
    got: source.dtype,
    wanted: 'float32, float16 or bfloat16',
  });
}
