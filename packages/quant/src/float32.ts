import { PruneError, type Tensor, type TensorData } from '@prune/state-dict';

/**
 * The elements of a float16, bfloat16, float32 or float64 tensor as float32: the tensor's own array where it is float32 already.
 * Every float16 and bfloat16 is exactly a float32; float64 is rounded. Throws `unsupported` for a dtype that is no float.
 */
export function toFloat32(tensor: Tensor, place: { where?: string; tensor?: string } = {}): TensorData<'float32'> {
  switch (tensor.dtype) {
    case 'float32':
      return (tensor as Tensor<'float32'>).data;
    case 'float64':
      return Float32Array.from((tensor as Tensor<'float64'>).data);
    case 'float16':
      return fromFloat16((tensor as Tensor<'float16'>).data);
    case 'bfloat16':
      return fromBfloat16((tensor as Tensor<'bfloat16'>).data);
    default:
      throw new PruneError('unsupported', {
        where: 'quant',
        ...place,
        what: 'not a float tensor',
        got: tensor.dtype,
        wanted: 'float32, float16, bfloat16 or float64',
      });
  }
}

/**
 * Moving a half's exponent and fraction to where float32 has them divides by 2^112 (the two biases differ by 112), subnormals included,
 * so one exact multiplication undoes it. What ends at 65,536 or more had the exponent of an infinity or NaN.
 */
function fromFloat16(halves: Uint16Array): TensorData<'float32'> {
  const values = new Float32Array(halves.length);
  const bits = new Int32Array(values.buffer);
  for (let i = 0; i < halves.length; i++) {
    const half = halves[i];
    bits[i] = ((half & 0x7fff) << 13) | ((half & 0x8000) << 16);
    values[i] *= 2 ** 112;
    if ((half & 0x7c00) === 0x7c00) bits[i] = ((half & 0x8000) << 16) | 0x7f800000 | ((half & 0x3ff) << 13);
  }
  return values;
}

function fromBfloat16(halves: Uint16Array): TensorData<'float32'> {
  const values = new Float32Array(halves.length);
  const bits = new Int32Array(values.buffer);
  for (let i = 0; i < halves.length; i++) bits[i] = halves[i] << 16;
  return values;
}
