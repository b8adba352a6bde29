import { ratios } from '../../harness/interleave.js';
import { type Summary, summarize } from '../../harness/summary.js';
import { NOTEBOOK } from './pack-sides.js';
import type { Scope } from './scope.js';

/** One side's part in packing or reading back a model. */
export interface SideRow {
  readonly model: string;
  readonly scope: Scope;
  /** One of `PACK_SIDES`, or `notebook`: the notebook's steps in Python. */
  readonly side: string;
  readonly seconds: Summary;
  /** The most memory that was resident in the process. */
  readonly peakBytes: Summary;
  /** Python's time over this side's, round by round. */
  readonly timesFaster?: Summary;
}

/** What a side's run measures at least. */
export interface SideRun {
  readonly seconds: number;
  readonly peakBytes: number;
}

/** A side's runs in one row, compared with the notebook's where it ran too. */
export function sideRow(
  place: Pick<SideRow, 'model' | 'scope' | 'side'>,
  runs: readonly SideRun[],
  notebook: readonly SideRun[] | undefined,
): SideRow {
  return {
    ...place,
    seconds: summarize(runs.map(({ seconds }) => seconds)),
    peakBytes: summarize(runs.map(({ peakBytes }) => peakBytes)),
    ...(notebook !== undefined &&
      place.side !== NOTEBOOK && { timesFaster: timesFaster(runs, notebook, ({ seconds }) => seconds) }),
  };
}

/** How many times faster than the notebook, by what of its time counts. */
export function timesFaster<R extends SideRun>(
  runs: readonly SideRun[],
  notebook: readonly R[],
  secondsOf: (run: R) => number,
): Summary {
  return summarize(
    ratios(
      notebook.map(secondsOf),
      runs.map(({ seconds }) => seconds),
    ),
  );
}
