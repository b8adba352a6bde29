import { formatSeconds, formatSummary, formatTimes } from '../../document/format.js';
import { SCOPE_NAMES } from './scope.js';
import type { SideRow } from './side-row.js';

/** The columns that tables of packing and of reading back begin with. */
export const SIDE_COLUMNS: readonly string[] = [
  'model|',
  'scope|',
  'side|',
  'seconds, median (quartiles)',
  'times faster than the notebook',
];

/** A row's cells of {@link SIDE_COLUMNS}. */
export function sideCells({ model, scope, side, seconds, timesFaster }: SideRow): readonly string[] {
  return [
    model,
    SCOPE_NAMES[scope],
    side,
    formatSummary(seconds, formatSeconds),
    timesFaster ? formatSummary(timesFaster, formatTimes) : '-',
  ];
}
