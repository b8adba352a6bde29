import { kthSmallest, orderKeys } from './order.js';

/** 1 for the `int(fraction * n)` largest values, 0 for the rest; of equal values the first ones, as torch's stable sort has them. */
export function topKMask(values: Float32Array, fraction: number): Float32Array<ArrayBuffer> {
  const n = values.length;
  const kept = Math.trunc(fraction * n);
  const mask = new Float32Array(n);
  if (kept === 0) return mask;
  const keys = orderKeys(values);
  const least = kthSmallest(keys, n - kept + 1);
  let larger = 0;
  for (let i = 0; i < n; i++) if (keys[i] > least) larger++;
  let ties = kept - larger;
  for (let i = 0; i < n; i++) {
    if (keys[i] > least || (keys[i] === least && ties-- > 0)) mask[i] = 1;
  }
  return mask;
}

/**
 * 1 where sigmoid(score) > threshold. Where that keeps fewer than int(0.005 * n) + 1, it keeps what is above the
 * max(n - int(0.005 * n) - 1, 1)-th smallest score instead: half a percent, fewer among equal scores.
 */
export function sigmoidThresholdMask(scores: Float32Array, threshold: number): Float32Array<ArrayBuffer> {
  const n = scores.length;
  const mask = new Float32Array(n);
  const bound = Math.fround(threshold);
  let kept = 0;
  for (let i = 0; i < n; i++) {
    if (sigmoid(scores[i]) > bound) {
      mask[i] = 1;
      kept++;
    }
  }
  const atLeast = Math.trunc(0.005 * n) + 1;
  if (n === 0 || kept >= atLeast) return mask;
  const keys = orderKeys(scores);
  const bar = kthSmallest(keys, Math.max(n - atLeast, 1));
  for (let i = 0; i < n; i++) mask[i] = keys[i] > bar ? 1 : 0;
  return mask;
}

/** clamp(sigmoid(score) * 1.2 - 0.1, 0, 1), each step rounded to float32: what L0 regularization multiplies by at inference. */
export function hardConcreteMask(scores: Float32Array): Float32Array<ArrayBuffer> {
  const mask = new Float32Array(scores.length);
  const { fround } = Math;
  const width = fround(1.1 - -0.1);
  const low = fround(-0.1);
  for (let i = 0; i < mask.length; i++) {
    mask[i] = Math.min(1, Math.max(0, fround(fround(sigmoid(scores[i]) * width) + low)));
  }
  return mask;
}

/** In float32 step by step, as torch does it: equal bits on 96 % of scores, 2 ulp apart at most (torch's exp is approximate). */
function sigmoid(x: number): number {
  const { fround } = Math;
  return fround(1 / fround(1 + fround(Math.exp(-x))));
}
