import { type Tensor, type TensorData, toFloat32 as widened } from '@prune/core';

/** The elements of a float tensor as float32, by {@link widened}: the tensor's own array where it is float32 already. Throws `unsupported`. */
export function toFloat32(tensor: Tensor, place: { where?: string; tensor?: string } = {}): TensorData<'float32'> {
  return widened(tensor, { where: 'quant', ...place }).data;
}
