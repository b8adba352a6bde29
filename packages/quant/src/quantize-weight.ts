import {
  checkArgument,
  checkLimit,
  type DenseInt8Matrix,
  PruneError,
  QUANTIZATION_PROFILES,
  type QuantizationProfile,
  type Tensor,
  type TensorInfo,
  toFloat32,
  type WeightScales,
} from '@prune/core';
import { NonzeroCollector, type Nonzeros } from './nonzero-collector.js';
import { rint } from './rint.js';

/** Options of {@link quantizeWeight} and `quantizeWeightToCsr`. */
export interface QuantizeWeightOptions {
  /**
   * One scale a row (PyTorch's `per_channel_dynamic_qconfig`, onnxruntime's `per_channel`) instead of one a matrix.
   * Default: {@link DEFAULT_PER_CHANNEL}.
   */
  readonly perChannel?: boolean;
  /** `onnxruntime` quantizes as onnxruntime does, every other profile as PyTorch. Default: {@link DEFAULT_PROFILE}. */
  readonly profile?: QuantizationProfile;
  /** The tensor's name, for messages. */
  readonly name?: string;
}

/** PyTorch's `default_dynamic_qconfig` is per tensor. */
export const DEFAULT_PER_CHANNEL = false;

/** The profile that weights are quantized for. */
export const DEFAULT_PROFILE: QuantizationProfile = QUANTIZATION_PROFILES[0];

/** A quantized weight: int8 codes and their scales. */
export interface QuantizedWeight<M = DenseInt8Matrix> extends WeightScales {
  readonly weight: M;
}

/** float32 machine epsilon, the smallest scale that PyTorch's observers give. */
const EPSILON = 2 ** -23;
/** The smallest normal float32. onnxruntime takes the scale 1 instead of a smaller one. */
const SMALLEST_NORMAL = 2 ** -126;
/** The scale that PyTorch's observers give when they have seen no element, as of a layer that pruning has emptied. */
export const SCALE_OF_NOTHING = 1;

/**
 * A float matrix `[rows, columns]` as int8 codes, symmetric: `scale = max(amax / 127.5, 2^-23)` and `q = clamp(rint(w * (1 / scale)), -128, 127)`
 * in float32, ties to even, as PyTorch's MinMaxObserver (qint8, symmetric) and `quantize_per_tensor` / `quantize_per_channel` compute it.
 * With the profile `onnxruntime`: `scale = amax / 127`, 1 where that is below 2^-126, and `q = rint(w / scale)`, as the
 * `quantize_dynamic` of onnxruntime computes it for float32 weights of a MatMul with `weight_type=QInt8`, its default.
 * Throws `not-finite` for NaN or an infinity, `mismatch` when the tensor is no matrix, `unsupported` when it is no float tensor.
 */
export function quantizeWeight(tensor: Tensor, options: QuantizeWeightOptions = {}): QuantizedWeight {
  const shape = matrixShape(tensor, options.name);
  const nonzeros = new NonzeroCollector();
  nonzeros.add(toFloat32(tensor, { where: 'quant', tensor: options.name }).data);
  const { places, codes, ...scales } = quantizeNonzeros(shape, nonzeros.nonzeros(), options);
  const intRepr = new Int8Array(shape[0] * shape[1]);
  for (let i = 0; i < places.length; i++) intRepr[places[i]] = codes[i];
  return { weight: { shape, intRepr }, ...scales };
}

/** The codes of a weight's nonzeros; a zero's code is 0. */
export interface NonzeroCodes extends WeightScales {
  /** As in `Nonzeros`. */
  readonly places: Uint32Array;
  /** The code of each, 0 too. */
  readonly codes: Int8Array;
}

/** {@link quantizeWeight} of the nonzeros alone. */
export function quantizeNonzeros(
  [rows, columns]: readonly [rows: number, columns: number],
  { places, values }: Nonzeros,
  { perChannel = DEFAULT_PER_CHANNEL, profile = DEFAULT_PROFILE, name }: QuantizeWeightOptions,
): NonzeroCodes {
  checkLimit('too many elements for 32-bit places', rows * columns, 2 ** 32, { where: 'quant', tensor: name });
  const codes = new Int8Array(places.length);
  const blocks = perChannel ? rows : 1;
  const length = perChannel ? columns : rows * columns;
  const scales = new Float64Array(blocks);
  for (let block = 0, start = 0; block < blocks; block++) {
    let end = start;
    if (perChannel) while (end < places.length && places[end] < (block + 1) * length) end++;
    else end = places.length;
    const largest = largestMagnitude(values.subarray(start, end));
    if (!(largest < Number.POSITIVE_INFINITY)) {
      const i = values.findIndex((value) => !Number.isFinite(value));
      refuseNotFinite(places[i], values[i], name);
    }
    const ofBlock = codes.subarray(start, end);
    scales[block] =
      length === 0 ? SCALE_OF_NOTHING : quantizeValues(profile, values.subarray(start, end), largest, ofBlock);
    start = end;
  }
  return { places, codes, qscheme: perChannel ? 'per_channel_affine' : 'per_tensor_affine', scales };
}

/** Writes the codes of `values`, whose magnitudes are at most `largest`, and returns the scale that `largest` gives. */
export function quantizeValues(
  profile: QuantizationProfile,
  values: Float32Array,
  largest: number,
  codes: Int8Array,
): number {
  return (profile === 'onnxruntime' ? quantizeByOnnxruntime : quantizeByPyTorch)(values, largest, codes);
}

function quantizeByPyTorch(values: Float32Array, largest: number, codes: Int8Array): number {
  const scale = Math.max(Math.fround(largest / 127.5), EPSILON);
  const inverse = Math.fround(1 / scale);
  for (let i = 0; i < values.length; i++) {
    // |w| <= amax, so only the upper end can leave int8: 127.5 rounds to 128, and -127.5 to -128.
    codes[i] = Math.min(rint(Math.fround(values[i] * inverse)), 127);
  }
  return scale;
}

function quantizeByOnnxruntime(values: Float32Array, largest: number, codes: Int8Array): number {
  const exact = largest / 127;
  const scale = exact < SMALLEST_NORMAL ? 1 : Math.fround(exact);
  for (let i = 0; i < values.length; i++) codes[i] = rint(Math.fround(values[i] / scale));
  return scale;
}

/** max |value|; NaN when there is one. As integers, the magnitudes of floats sort as the floats do, infinity and then the NaNs last. */
export function largestMagnitude(values: Float32Array): number {
  const bits = new Int32Array(values.buffer, values.byteOffset, values.length);
  let largest = 0;
  for (let i = 0; i < bits.length; i++) {
    const magnitude = bits[i] & 0x7fffffff;
    if (magnitude > largest) largest = magnitude;
  }
  return new Float32Array(Int32Array.of(largest).buffer)[0];
}

/** The shape of a matrix; throws `mismatch` for any other rank. */
export function matrixShape(tensor: TensorInfo, name: string | undefined): [rows: number, columns: number] {
  const wanted = 'a tensor, { dtype, shape, data }, which tensor of @prune/core makes';
  checkArgument(Array.isArray(tensor?.shape), { where: 'quant', what: 'the weight', wanted }, tensor);
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

/** Throws `not-finite` for the element at `index`. */
export function refuseNotFinite(index: number, value: number, name: string | undefined): never {
  throw new PruneError('not-finite', {
    where: 'quant',
    tensor: name,
    what: `element ${index} has no int8 code`,
    got: value,
    wanted: 'a finite number',
  });
}
