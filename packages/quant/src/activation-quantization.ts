import { PruneError, type QuantizationProfile } from '@prune/core';
import { rint } from './rint.js';

/**
 * How the activations of one dynamic linear become bytes: `xq = clamp(rint(x * inverse) + zeroPoint, 0, 255)`, or with
 * `onnxruntime` `xq = clamp(rint(x / scale) + zeroPoint, 0, 255)`, whose quotient has other last bits than the product.
 */
export interface ActivationQuantization {
  /** A float32 value; 0 for a range of subnormal numbers with `onnxruntime`. */
  readonly scale: number;
  /** The scale before it is rounded to float32; only oneDNN's last line sees the difference. */
  readonly exactScale: number;
  /** `1 / scale`, a float32 value. */
  readonly inverse: number;
  /** An integer within the profile's range. */
  readonly zeroPoint: number;
}

/** The largest code of each profile's range; the smallest is 0. `fbgemm` halves it ("reduce_range"). */
export const ACTIVATION_QMAX: Readonly<Record<QuantizationProfile, number>> = {
  fbgemm: 127,
  'fbgemm-1.5': 255,
  qnnpack: 255,
  onnxruntime: 255,
};

const SMALL_SCALE_THRESHOLD = Math.fround(6.1e-5);

/**
 * Scale and zero point for activations whose smallest and largest elements are `min` and `max` (float32 values; 0 is always taken in),
 * as `ChooseQuantizationParams` of PyTorch's `QuantUtils.h` computes them, or `DynamicQuantizeLinear` of onnxruntime.
 * Throws `not-finite`, with `onnxruntime` also for a range that float32 does not hold.
 */
export function activationQuantization(min: number, max: number, profile: QuantizationProfile): ActivationQuantization {
  if (!(Number.isFinite(min) && Number.isFinite(max))) {
    throw new PruneError('not-finite', {
      where: 'quant',
      what: 'activations have no scale',
      got: `${min} to ${max}`,
      wanted: 'finite numbers',
    });
  }
  const low = Math.fround(Math.min(min, 0));
  const high = Math.fround(Math.max(max, 0));
  const qmax = ACTIVATION_QMAX[profile];
  return profile === 'onnxruntime' ? byOnnxruntime(low, high, qmax) : byPyTorch(low, high, qmax);
}

function byPyTorch(smallest: number, largest: number, qmax: number): ActivationQuantization {
  let low = smallest;
  let high = largest;
  let scale = (high - low) / qmax;
  if (Math.fround(scale) === 0 || Math.fround(1 / Math.fround(scale)) === Number.POSITIVE_INFINITY) scale = 0.1;
  if (scale < SMALL_SCALE_THRESHOLD) {
    const amplifier = Math.fround(SMALL_SCALE_THRESHOLD / Math.fround(scale));
    scale = SMALL_SCALE_THRESHOLD;
    if (low === 0) high = Math.fround(SMALL_SCALE_THRESHOLD * qmax);
    else if (high === 0) low = -Math.fround(SMALL_SCALE_THRESHOLD * qmax);
    else {
      low = Math.fround(low * amplifier);
      high = Math.fround(high * amplifier);
    }
  }
  // Of the two ends that could fix the zero point, the one whose terms are smaller loses less: qmin - low / scale, or qmax - high / scale.
  const errorFromLow = -Math.abs(low / scale);
  const errorFromHigh = qmax - Math.abs(high / scale);
  const exact = errorFromLow < errorFromHigh ? -low / scale : qmax - high / scale;
  const zeroPoint = rint(Math.max(0, Math.min(exact, qmax)));
  const rounded = Math.fround(scale);
  return { scale: rounded, exactScale: scale, inverse: Math.fround(1 / rounded), zeroPoint };
}

/** `GetQuantizationParameter` of onnxruntime's `qmath.h`: every step in float32, and no smallest scale. */
function byOnnxruntime(low: number, high: number, qmax: number): ActivationQuantization {
  const scale = low === high ? 1 : Math.fround(Math.fround(high - low) / qmax);
  if (scale === Number.POSITIVE_INFINITY) {
    throw new PruneError('not-finite', {
      where: 'quant',
      what: 'the range of the activations overflows float32',
      got: `${low} to ${high}`,
      wanted: 'a range below 3.4e38, because onnxruntime gives NaN for every other one',
    });
  }
  const exact = -Math.fround(low / scale);
  // Where subnormal numbers give the scale 0, this is 0 / 0 or an infinity, and the zero point qmax.
  const zeroPoint = exact < qmax ? rint(exact) : qmax;
  return { scale, exactScale: scale, inverse: Math.fround(1 / scale), zeroPoint };
}
