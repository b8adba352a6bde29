import type { Metric } from './metrics.js';

/** How much worse a figure may be than before, as a share, by what it is. */
export type Thresholds = Readonly<Record<Metric['kind'], number>>;

/** Sizes are the same on every run. Ratios are taken within a round and drift little; bare seconds drift with the machine, by half on a shared one. */
const DEFAULT_THRESHOLDS: Thresholds = { size: 0.002, ratio: 0.15, time: 0.5, memory: 0.15 };

/** A figure now and before. */
export interface Change {
  readonly name: string;
  readonly kind: Metric['kind'];
  readonly before: number;
  readonly now: number;
  /** now / before - 1 */
  readonly change: number;
  /** Whether it is worse by more than its threshold. */
  readonly regression: boolean;
  /** Whether it is better by more than its threshold. */
  readonly improvement: boolean;
}

/** Every figure that both runs have, the largest changes for the worse first. */
export function compareMetrics(
  before: Readonly<Record<string, Metric>>,
  now: Readonly<Record<string, Metric>>,
  thresholds: Thresholds = DEFAULT_THRESHOLDS,
): Change[] {
  const changes = Object.entries(now)
    .filter(([name, { kind }]) => before[name]?.kind === kind)
    .map(([name, { value, kind }]): Change => {
      const change = value / before[name].value - 1;
      // A ratio of 2 that was 2.2 takes 10 % more of the peer's time: compared as such, like seconds.
      const [worse, better] = kind === 'ratio' ? [-change / (1 + change), change] : [change, -change / (1 + change)];
      const [regression, improvement] = [worse, better].map((share) => share > thresholds[kind]);
      return { name, kind, before: before[name].value, now: value, change, regression, improvement };
    });
  return changes.sort((a, b) => Number(b.regression) - Number(a.regression) || badness(b) - badness(a));
}

function badness({ kind, change }: Change): number {
  return kind === 'ratio' ? -change : change;
}
