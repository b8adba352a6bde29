import type { Change } from '../history/compare-metrics.js';
import type { HistoryEntry } from '../history/history.js';
import { list, type Section, table, text } from './document.js';
import { formatBytes, formatSeconds, formatTimes } from './format.js';

/** The figures beside those of the last saved run on the same machine. */
export function describeHistory(last: HistoryEntry, changes: readonly Change[]): Section {
  const worse = changes.filter(({ regression }) => regression);
  // Sizes that did not move say nothing.
  const moved = changes.filter(({ kind, change, regression }) => regression || (kind === 'size' ? change !== 0 : true));
  return {
    id: 'history',
    title: 'Against the last saved run',
    blocks: [
      text(`Saved ${last.created} at ${last.commit ?? 'an unknown commit'} on this machine, Node ${last.node}.`),
      text(
        worse.length === 0
          ? `None of ${changes.length} figures is worse by more than its threshold; ${changes.length - moved.length} sizes are the same to the byte.`
          : `${worse.length} of ${changes.length} figures are worse by more than their threshold:`,
      ),
      ...(worse.length === 0 ? [] : [list(...worse.map(({ name }) => name))]),
      table(
        'Changes',
        ['figure|', 'before', 'now', 'change', 'regression|'],
        moved.map((change) => [
          change.name,
          format(change, change.before),
          format(change, change.now),
          `${change.change < 0 ? '' : '+'}${(100 * change.change).toFixed(1)} %`,
          change.regression ? 'yes' : '',
        ]),
      ),
    ],
  };
}

function format({ kind }: Change, value: number): string {
  if (kind === 'ratio') return formatTimes(value);
  return kind === 'time' ? formatSeconds(value) : formatBytes(value);
}
