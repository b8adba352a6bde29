import type { DensitySweep } from './speed-report.js';

/** The density at which ours takes as long as the dense peer, linear between neighbours; `null` where there is none. */
export function crossoverOf(rows: DensitySweep['rows']): number | null {
  const points = [...rows]
    .sort((a, b) => a.density - b.density)
    .map(({ density, seconds, peerSeconds }) => ({ density, ratio: seconds / peerSeconds }));
  for (let i = 1; i < points.length; i++) {
    const [a, b] = [points[i - 1], points[i]];
    if (a.ratio <= 1 && b.ratio > 1) return a.density + ((1 - a.ratio) / (b.ratio - a.ratio)) * (b.density - a.density);
  }
  return null;
}
