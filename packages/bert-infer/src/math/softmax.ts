import { exp } from './exp.js';

/** The probabilities of scores, in float64 and with the same bits in every engine. */
export function softmax(scores: readonly number[]): number[] {
  const max = scores.reduce((most, score) => Math.max(most, score), Number.NEGATIVE_INFINITY);
  const powers = scores.map((score) => exp(score - max));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}
