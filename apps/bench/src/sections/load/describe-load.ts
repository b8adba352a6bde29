import { plot, type Section, table, text } from '../../document/document.js';
import { formatBytes, formatTimes } from '../../document/format.js';
import { SIDE_COLUMNS, sideCells } from '../sides/side-cells.js';
import type { LoadRow } from './measure-load.js';

/** Time and memory of reading a packed model back. */
export function describeLoad(rows: readonly LoadRow[]): Section {
  return {
    id: 'load',
    title: 'Reading a model back',
    blocks: [
      text(
        'From opening the file (in the page cache) to every array in memory: ours to CSR matrices, each checked, and float tensors; the notebook to its quantized state ' +
          'dict (h5py, scipy, re-assembly). Starting Node and Python and the imports are not counted. The rise is the peak above what was resident before the file was opened.',
      ),
      plot('load', 'Seconds to read back'),
      table(
        'Reading back',
        [...SIDE_COLUMNS, 'than its h5py step alone', 'peak memory', 'rise', 'rise / decoded'],
        rows.map((row) => [
          ...sideCells(row),
          row.timesFasterThanArrays ? formatTimes(row.timesFasterThanArrays.median) : '-',
          formatBytes(row.peakBytes.median),
          formatBytes(row.riseBytes.median),
          row.decodedBytes ? formatTimes(row.riseBytes.median / row.decodedBytes) : '-',
        ]),
      ),
    ],
  };
}
