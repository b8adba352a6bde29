import { expect, test } from 'vitest';
import { contextFrequencies } from './value-contexts.js';

/** The formula of SPEC.md with whole numbers of any size. */
function weightsByHand(levels: Uint16Array, frequency: Uint16Array, slope: number, curve: number): bigint[] {
  const powers: number[] = [];
  for (let i = 0, power = 2 ** 20; i < 4096; i++, power *= 1.0001692397053021) powers.push(Math.floor(power));
  let below = 0;
  return Array.from(levels, (level, m) => {
    const u = Math.floor((2 * below + frequency[m] - 4096) / 32);
    below += frequency[m];
    const e = 8 * slope * u + Math.floor((curve * u * u) / 16);
    const whole = Math.floor(e / 4096);
    // 2^40 more than the formula, so that nothing is lost.
    return BigInt(level * level) * BigInt(powers[e - 4096 * whole]) * 2n ** BigInt(whole + 40);
  });
}

test.each([
  [0, 0],
  [3, -5],
  [64, 64],
  [-64, 64],
  [64, -64],
  [-64, -64],
])('a tilt of %i, %i is what the specification says, to the ends', (slope, curve) => {
  const levels = Uint16Array.from({ length: 128 }, (_, m) => (m % 11 === 5 ? 0 : 130 - m));
  const one = { groups: 1, rowStarts: [], columnStarts: [] };
  const [flat] = contextFrequencies(levels, { ...one, tilts: [{ slope: 0, curve: 0 }] });
  const [tilted] = contextFrequencies(levels, { ...one, tilts: [{ slope, curve }] });
  expect(tilted.reduce((sum, f) => sum + f, 0)).toBe(4096);
  const weights = weightsByHand(levels, flat, slope, curve);
  const total = weights.reduce((sum, w) => sum + w, 0n);
  const heaviest = weights.findIndex((w) => weights.every((other) => other <= w));
  tilted.forEach((f, m) => {
    const wanted = Number((weights[m] * 4096n * 1000n) / total) / 1000;
    if (levels[m] === 0) expect(f).toBe(0);
    // The heaviest has what rounding leaves: up to 1 for each of the others.
    else expect(Math.abs(f - wanted)).toBeLessThanOrEqual(m === heaviest ? 128 : 1);
  });
});
