import { PruneError, type QuantizationProfile } from '@prune/core';
import { rint } from './rint.js';

/** How the activations of one dynamic linear become bytes: `xq = clamp(rint(x * inverse) + zeroPoint, 0, 255)`. */
export interface ActivationQuantization {
  /** A float32 value. */
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
 * as `ChooseQuantizationParams` of PyTorch's `QuantUtils.h` computes them. Throws `not-finite`.
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
  const qmax = ACTIVATION_QMAX[profile];
  let low = Math.fround(Math.min(min, 0));
  let high = Math.fround(Math.max(max, 0));
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
