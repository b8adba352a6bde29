import type { Summary } from '../../harness/summary.js';
import { ONNXRUNTIME_INT8, OURS, OURS_INT16, withKernels } from '../infer/side-names.js';
import { cellName } from './cell-name.js';
import { GOALS } from './goals.js';
import type { DensitySweep, SpeedReport } from './speed-report.js';

/** A goal, and what was reached of it. */
export interface GoalRow {
  readonly what: string;
  /** Whose: a side of ours. */
  readonly side: string;
  readonly against: string;
  /** How many times as fast, or a density. */
  readonly kind: 'times' | 'density';
  readonly wanted: number;
  readonly reached: number;
  /** Of ratios. */
  readonly times?: Summary;
  /** Where, of several sizes of work. */
  readonly at?: string;
  /**
   * Of densities: ours is faster than the peer at every density that was measured, or slower, and `reached` is the
   * highest of them, or the lowest.
   */
  readonly beyond?: 'above' | 'below';
  readonly met: boolean;
}

/** Each goal whose figures are in a report, in order. Goals whose sides were not measured are left out. */
export function goalRows(report: SpeedReport): GoalRow[] {
  return [
    ...cellGoals(report),
    ...densityGoals(report),
    ...ownGoals(report),
    ...smallGoal(report),
    ...firstGoal(report),
  ];
}

function cellGoals({ cells }: SpeedReport): GoalRow[] {
  return GOALS.cells.flatMap((goal) => {
    const row = cells.find(
      ({ side, batch, tokens, threads }) =>
        side === ONNXRUNTIME_INT8 && batch === goal.batch && tokens === goal.tokens && threads === goal.threads,
    );
    return [
      ...timesGoal(cellName(goal), OURS, ONNXRUNTIME_INT8, goal.float32, row?.oursTimesFaster?.[OURS]),
      ...timesGoal(cellName(goal), OURS_INT16, ONNXRUNTIME_INT8, goal.int16, row?.oursTimesFaster?.[OURS_INT16]),
    ];
  });
}

function densityGoals({ densities }: SpeedReport): GoalRow[] {
  return densities
    .filter(({ side }) => side === OURS || side === OURS_INT16)
    .map((sweep): GoalRow => {
      const { reached, beyond } = reachedDensity(sweep);
      return {
        what: `density at which ${sweep.tokens} tokens take as long, 1 thread`,
        side: sweep.side,
        against: sweep.peer,
        kind: 'density',
        wanted: GOALS.density,
        reached,
        ...(beyond && { beyond }),
        met: beyond !== 'below' && reached >= GOALS.density,
      };
    });
}

function reachedDensity({ rows, crossover }: DensitySweep): Pick<GoalRow, 'reached' | 'beyond'> {
  if (crossover !== null) return { reached: crossover };
  const densities = rows.map(({ density }) => density);
  return rows.every(({ seconds, peerSeconds }) => seconds <= peerSeconds)
    ? { reached: Math.max(...densities), beyond: 'above' }
    : { reached: Math.min(...densities), beyond: 'below' };
}

function ownGoals({ own, kernels }: SpeedReport): GoalRow[] {
  const wide = withKernels(OURS, 'wasm-wide');
  const avx2 = kernels[OURS] === 'native-avx2' ? OURS : withKernels(OURS, 'native-avx2');
  const times = (faster: string) => own.find((one) => one.slower === wide && one.faster === faster)?.times;
  const what = cellName({ batch: 1, tokens: 128, threads: 1 });
  return [
    ...timesGoal(what, OURS, wide, GOALS.wide.native, times(OURS)),
    ...timesGoal(`plain AVX2, ${what}`, avx2, wide, GOALS.wide.avx2, times(avx2)),
  ];
}

/** The least of all cells. */
function smallGoal({ small }: SpeedReport): GoalRow[] {
  const rows = small.filter(({ side, oursTimesFaster }) => side === ONNXRUNTIME_INT8 && oursTimesFaster?.[OURS]);
  if (rows.length === 0) return [];
  const timesOf = (row: (typeof rows)[number]) => row.oursTimesFaster![OURS];
  const least = rows.reduce((a, b) => (timesOf(b).median < timesOf(a).median ? b : a));
  const what = `${least.model}, the least of ${rows.length} sizes of work`;
  const [row] = timesGoal(what, OURS, ONNXRUNTIME_INT8, GOALS.small, timesOf(least));
  return [{ ...row, at: cellName(least) }];
}

function firstGoal({ first }: SpeedReport): GoalRow[] {
  const times = first.find(({ side }) => side === ONNXRUNTIME_INT8)?.oursTimesFaster?.[OURS];
  return timesGoal('from the file to the first answer', OURS, ONNXRUNTIME_INT8, GOALS.first, times);
}

function timesGoal(what: string, side: string, against: string, wanted: number, times: Summary | undefined): GoalRow[] {
  if (times === undefined) return [];
  const reached = times.median;
  return [{ what, side, against, kind: 'times', wanted, reached, times, met: reached >= wanted }];
}
