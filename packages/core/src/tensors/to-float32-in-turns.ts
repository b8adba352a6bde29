import { inBlocks } from '../events/in-blocks.js';
import type { Pacer } from '../events/pacer.js';
import { floatConversion } from './float-conversion.js';
import { type Tensor, tensor } from './tensor.js';

/** What `toFloat32` gives, with the pacer's pauses. */
export async function toFloat32InTurns(
  source: Tensor,
  pacer: Pacer,
  place: { where?: string; tensor?: string } = {},
): Promise<Tensor<'float32'>> {
  if (source.dtype === 'float32') return source as Tensor<'float32'>;
  const { data, convert } = floatConversion(source, place);
  await inBlocks(data.length, pacer, convert);
  return tensor('float32', source.shape, data, place);
}
