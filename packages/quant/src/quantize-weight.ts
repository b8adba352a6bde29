import { type DenseInt8Matrix, PruneError, type Tensor, type WeightScales } from '@prune/state-dict';
import { toFloat32 } from './float32.js';
import { nonzeroPlaces } from './nonzero-places.js';
import { rint } from './rint.js';

/** Options of {@link quantizeWeight} and `quantizeWeightToCsr`. */
export interface QuantizeWeightOptions {
  /** One scale a row (PyTorch's `per_channel_dynamic_qconfig`) instead of one for the matrix. Default: {@link DEFAULT_PER_CHANNEL}. */
  readonly perChannel?: boolean;
  /** The tensor's name, for messages. */
  readonly name?: string;
}

/** PyTorch's `default_dynamic_qconfig` is per tensor. */
export const DEFAULT_PER_CHANNEL = false;

/** A quantized weight: int8 codes and their scales. */
export interface QuantizedWeight<M = DenseInt8Matrix> extends WeightScales {
  readonly weight: M;
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
  const { shape, places, codes, ...scales } = quantizeNonzeros(tensor, options);
  const intRepr = new Int8Array(shape[0] * shape[1]);
  for (let i = 0; i < places.length; i++) intRepr[places[i]] = codes[i];
  return { weight: { shape, intRepr }, ...scales };
}

/** The codes of a weight's nonzeros; a zero's code is 0. */
export interface NonzeroCodes extends WeightScales {
  readonly shape: readonly [rows: number, columns: number];
  /** Where the nonzeros are in the row-major matrix, ascending. */
  readonly places: Uint32Array;
  /** The code of each, 0 too. */
  readonly codes: Int8Array;
}

/** {@link quantizeWeight} of the nonzeros alone. */
export function quantizeNonzeros(tensor: Tensor, options: QuantizeWeightOptions): NonzeroCodes {
  const { perChannel = DEFAULT_PER_CHANNEL, name } = options;
  const shape = matrixShape(tensor, name);
  const values = toFloat32(tensor, { tensor: name });
  const places = nonzeroPlaces(values);
  const codes = new Int8Array(places.length);
  const blocks = perChannel ? shape[0] : 1;
  const length = perChannel ? shape[1] : values.length;
  const scales = new Float64Array(blocks);
  for (let block = 0, first = 0; block < blocks; block++) {
    let end = first;
    while (end < places.length && places[end] < (block + 1) * length) end++;
    const scale = scaleOf(values, places.subarray(first, end), name);
    const inverse = Math.fround(1 / scale);
    for (let i = first; i < end; i++) {
      // |w| <= amax, so only the upper end can leave int8: 127.5 rounds to 128, and -127.5 to -128.
      codes[i] = Math.min(rint(Math.fround(values[places[i]] * inverse)), 127);
    }
    scales[block] = scale;
    first = end;
  }
  return { shape, places, codes, qscheme: perChannel ? 'per_channel_affine' : 'per_tensor_affine', scales };
}

/** The scale of one block of values. */
function scaleOf(values: Float32Array, places: Uint32Array, name: string | undefined): number {
  // As integers, the magnitudes of floats sort as the floats do, and infinities and NaNs come last: one maximum finds amax and both of them.
  const bits = new Int32Array(values.buffer, values.byteOffset, values.length);
  let largest = 0;
  for (let i = 0; i < places.length; i++) {
    const magnitude = bits[places[i]] & MAGNITUDE;
    if (magnitude > largest) largest = magnitude;
  }
  if (largest >= INFINITY) refuseNotFinite(values, name);
  const amax = new Float32Array(Int32Array.of(largest).buffer)[0];
  return Math.max(Math.fround(amax / 127.5), EPSILON);
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
