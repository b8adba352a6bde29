import { type Section, table, text } from '../document/document.js';
import { formatBytes, formatSeconds, formatTimes } from '../document/format.js';
import type { Change } from './compare-metrics.js';
import type { HistoryEntry } from './history.js';

/** The figures beside those of the last saved run on the same machine. */
export function describeHistory(last: HistoryEntry, changes: readonly Change[]): Section {
  const worse = changes.filter(({ regression }) => regression);
  // A size that moved at all was moved by somebody; anything else moves from run to run.
  const moved = changes.filter(
    ({ kind, change, regression, improvement }) => regression || improvement || (kind === 'size' && change !== 0),
  );
  return {
    id: 'history',
    title: 'Against the last saved run',
    blocks: [
      text(`Saved ${last.created} at ${last.commit ?? 'an unknown commit'} on this machine, Node ${last.node}.`),
      text(
        `Of ${changes.length} figures, ${worse.length} are worse by more than their threshold. ${changes.length - moved.length} are not shown: sizes that are the same, and what moved by less.`,
      ),
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
