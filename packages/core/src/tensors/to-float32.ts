import { floatConversion } from './float-conversion.js';
import { type Tensor, tensor } from './tensor.js';

/**
 * A float tensor as float32, of the same shape: every float16 and bfloat16 exactly, subnormals, infinities and the sign of zero included;
 * float64 rounded to the nearest. A float32 tensor is returned as it is. Throws `unsupported` for a dtype that is no float.
 */
export function toFloat32(source: Tensor, place: { where?: string; tensor?: string } = {}): Tensor<'float32'> {
  if (source.dtype === 'float32') return source as Tensor<'float32'>;
  const { data, convert } = floatConversion(source, place);
  convert(0, data.length);
  return tensor('float32', source.shape, data, place);
}
