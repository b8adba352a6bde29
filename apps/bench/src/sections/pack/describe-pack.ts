import { plot, type Section, table, text } from '../../document/document.js';
import { formatBytes, formatSeconds } from '../../document/format.js';
import { SCOPE_NAMES } from '../sides/scope.js';
import { SIDE_COLUMNS, sideCells } from '../sides/side-cells.js';
import type { PackRow } from './measure-pack.js';

/** Time and memory of packing a checkpoint. */
export function describePack(rows: readonly PackRow[]): Section {
  return {
    id: 'pack',
    title: 'Packing a checkpoint',
    blocks: [
      text(
        'From the checkpoint on disk (in the page cache) to the finished file, gzip level 9 on every side. Ours is the whole process of prune pack, from start to exit; ' +
          "the notebook's is its steps alone (load, quantize_dynamic, csr_matrix, h5py), in Python with imports not counted. Memory is the most that was resident in the process.",
      ),
      plot('pack', 'Seconds to pack'),
      table(
        'Packing',
        [...SIDE_COLUMNS, 'peak memory', 'file'],
        rows.map((row) => [...sideCells(row), formatBytes(row.peakBytes.median), formatBytes(row.fileBytes)]),
      ),
      ...steps(rows),
    ],
  };
}

function steps(rows: readonly PackRow[]) {
  const notebooks = rows.filter((row) => row.steps !== undefined);
  if (notebooks.length === 0) return [];
  const names = Object.keys(notebooks[0].steps!);
  return [
    table(
      "The notebook's steps",
      ['model|', 'scope|', ...names],
      notebooks.map((row) => [
        row.model,
        SCOPE_NAMES[row.scope],
        ...names.map((name) => formatSeconds(row.steps![name])),
      ]),
    ),
  ];
}
