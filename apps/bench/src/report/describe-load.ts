import type { LoadRow } from '../load/measure-load.js';
import { SCOPE_NAMES } from '../pack/scope.js';
import { plot, type Section, table, text } from './document.js';
import { formatBytes, formatSeconds, formatSummary, formatTimes } from './format.js';

/** Time and memory of reading a packed model back. */
export function describeLoad(rows: readonly LoadRow[]): Section {
  return {
    id: 'load',
    title: 'Reading a model back',
    blocks: [
      text(
        'From opening the file (in the page cache) to every array in memory: ours to CSR matrices, each checked, and float tensors; the notebook to its quantized state ' +
          'dict (h5py, scipy, re-assembly). Starting Node, Python, h5wasm and the imports are not counted. The rise is the peak above what was resident before the file was opened.',
      ),
      plot('load', 'Seconds to read back'),
      table(
        'Reading back',
        [
          'model|',
          'scope|',
          'side|',
          'seconds, median (quartiles)',
          'times faster than the notebook',
          'than its h5py step alone',
          'peak memory',
          'rise',
          'rise / decoded',
        ],
        rows.map((row) => [
          row.model,
          SCOPE_NAMES[row.scope],
          row.side,
          formatSummary(row.seconds, formatSeconds),
          row.timesFaster ? formatSummary(row.timesFaster, formatTimes) : '-',
          row.timesFasterThanArrays ? formatTimes(row.timesFasterThanArrays.median) : '-',
          formatBytes(row.peakBytes.median),
          formatBytes(row.riseBytes.median),
          row.decodedBytes ? formatTimes(row.riseBytes.median / row.decodedBytes) : '-',
        ]),
      ),
    ],
  };
}
