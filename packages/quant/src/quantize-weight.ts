import { type DenseInt8Matrix, PruneError, type Tensor, type WeightScales } from '@prune/state-dict';
import { toFloat32 } from './float32.js';
import { rint } from './rint.js';

/** Options of {@link quantizeWeight}. */
export interface QuantizeWeightOptions {
  /** One scale a row (PyTorch's `per_channel_dynamic_qconfig`) instead of one for the matrix. Default: {@link DEFAULT_PER_CHANNEL}. */
  readonly perChannel?: boolean;
  /** The tensor's name, for messages. */
  readonly name?: string;
}

/** PyTorch's `default_dynamic_qconfig` is per tensor. */
export const DEFAULT_PER_CHANNEL = false;

/** A quantized weight: int8 codes and their scales. */
export interface QuantizedWeight extends WeightScales {
  readonly weight: DenseInt8Matrix;
}

/** float32 machine epsilon, the smallest scale that PyTorch's observers give. */
const EPSILON = 2 ** -23;
const MAGNITUDE = 0x7fffffff;
const INFINITY = 0x7f800000;

/**
 * A float matrix `[rows, columns]` as int8 codes, symmetric: `scale = max(amax / 127.5, 2^-23)` and `q = clamp(rint(w * (1 / scale)), -128, 127)`
 * in float32, ties to even, as PyTorch's MinMaxObserver (qint8, symmetric) and `quantize_per_tensor` / `quantize_per_channel` compute it.
 * Throws `not-finite` for NaN or an infinity, `mismatch` when the tensor is no matrix, `unsupported` when it is no float tensor.
 */
export function quantizeWeight(tensor: Tensor, options: QuantizeWeightOptions = {}): QuantizedWeight {
  const { perChannel = DEFAULT_PER_CHANNEL, name } = options;
  const [rows, columns] = matrixShape(tensor, name);
  const values = toFloat32(tensor, { tensor: name });
  const intRepr = new Int8Array(values.length);
  const blocks = perChannel ? rows : 1;
  const length = perChannel ? columns : values.length;
  const scales = new Float64Array(blocks);
  for (let block = 0; block < blocks; block++) {
    const start = block * length;
    const codes = intRepr.subarray(start, start + length);
    scales[block] = quantizeBlock(values.subarray(start, start + length), codes, name);
  }
  return {
    weight: { shape: [rows, columns], intRepr },
    qscheme: perChannel ? 'per_channel_affine' : 'per_tensor_affine',
    scales,
  };
}

/** The shape of a matrix; throws `mismatch` for any other rank. */
export function matrixShape(tensor: Tensor, name: string | undefined): [rows: number, columns: number] {
  if (tensor.shape.length !== 2) {
    throw new PruneError('mismatch', {
      where: 'quant',
      tensor: name,
      what: 'not a matrix',
      got: `shape [${tensor.shape.join(', ')}]`,
      wanted: '[rows, columns]',
    });
  }
  return [tensor.shape[0], tensor.shape[1]];
}

/** Throws `not-finite` with the place of the first NaN or infinity of `values`. */
export function refuseNotFinite(values: Float32Array, name: string | undefined): never {
  const index = values.findIndex((value) => !Number.isFinite(value));
  throw new PruneError('not-finite', {
    where: 'quant',
    tensor: name,
    what: `element ${index} has no int8 code`,
    got: values[index],
    wanted: 'a finite number',
  });
}

/** Quantizes one block with one scale, which is returned. `codes` are zeros when it is called. */
function quantizeBlock(values: Float32Array, codes: Int8Array, name: string | undefined): number {
  const kept = nonzeroSteps(values);
  // As integers, the magnitudes of floats sort as the floats do, and infinities and NaNs come last: one maximum finds amax and both of them.
  const bits = new Int32Array(values.buffer, values.byteOffset, values.length);
  let largest = 0;
  for (let j = 0; j < kept.length; j++) {
    const first = bits[kept[j]] & MAGNITUDE;
    const second = bits[kept[j] + 1] & MAGNITUDE;
    if (first > largest) largest = first;
    if (second > largest) largest = second;
  }
  if (largest >= INFINITY) refuseNotFinite(values, name);
  const amax = new Float32Array(Int32Array.of(largest).buffer)[0];
  const scale = Math.max(Math.fround(amax / 127.5), EPSILON);
  const inverse = Math.fround(1 / scale);
  for (let j = 0; j < kept.length; j++) {
    const i = kept[j];
    // |w| <= amax, so only the upper end can leave int8: 127.5 rounds to 128, and -127.5 to -128.
    codes[i] = Math.min(rint(Math.fround(values[i] * inverse)), 127);
    codes[i + 1] = Math.min(rint(Math.fround(values[i + 1] * inverse)), 127);
  }
  return scale;
}

/**
 * Where two neighbours are not both zero: the index of the first. A pair of floats read as one float64 is 0 or -0 exactly when the first is 0 and the
 * second 0 or -0, which are coded as 0. A pruned matrix is mostly such pairs: at 6 % density this is twice as fast as looking at every element twice.
 * The steps overlap where the block's memory or length is odd.
 */
function nonzeroSteps(values: Float32Array): Uint32Array {
  if (values.length < 2) return new Uint32Array(values.length);
  const steps = new Uint32Array((values.length >> 1) + 2);
  let count = 0;
  const odd = (values.byteOffset / 4) % 2;
  if (odd === 1) steps[count++] = 0;
  const pairs = new Float64Array(values.buffer, values.byteOffset + 4 * odd, (values.length - odd) >> 1);
  for (let pair = 0; pair < pairs.length; pair++) {
    if (pairs[pair] !== 0) steps[count++] = 2 * pair + odd;
  }
  if ((values.length - odd) % 2 === 1) steps[count++] = values.length - 2;
  return steps.subarray(0, count);
}
