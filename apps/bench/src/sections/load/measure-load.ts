import { join } from 'node:path';
import { benchFolder } from '../../bench-folder.js';
import { interleave, type Side } from '../../harness/interleave.js';
import type { Python } from '../../harness/python.js';
import { runNode } from '../../harness/run-child.js';
import { runNotebook } from '../../harness/run-notebook.js';
import { type Summary, summarize } from '../../harness/summary.js';
import { NOTEBOOK, PACK_SIDES, packedFile } from '../sides/pack-sides.js';
import type { Scope } from '../sides/scope.js';
import { type SideRow, type SideRun, sideRow, timesFaster } from '../sides/side-row.js';
import type { LoadResult } from './load-task.js';

/**
 * One way to read a packed model back, measured from opening the file to every array in memory; runtimes and imports are not
 * counted on any side. `notebook` is h5py, scipy and the re-assembly of the state dict.
 */
export interface LoadRow extends SideRow {
  /** The most memory that was resident above what was before the file was opened. */
  readonly riseBytes: Summary;
  /** Bytes of all arrays in memory; prune only. */
  readonly decodedBytes?: number;
  /** Python's time for h5py alone over this side's. */
  readonly timesFasterThanArrays?: Summary;
}

interface LoadRun extends SideRun {
  readonly arraySeconds?: number;
  readonly baseBytes: number;
  readonly decodedBytes?: number;
}

/** Options of {@link measureLoad}. */
export interface MeasureLoadOptions {
  readonly rounds: number;
  readonly scope: Scope;
  readonly python?: Python;
  readonly log?: (line: string) => void;
}

/**
 * Reads the files of one packed model back: ours to checked CSR matrices and float tensors, Python's to the notebook's quantized state dict. The files are those
 * that `measurePack` proved equal, and are in the page cache.
 */
export async function measureLoad(
  model: string,
  { rounds, scope, python, log = () => {} }: MeasureLoadOptions,
): Promise<LoadRow[]> {
  const sides = PACK_SIDES.map(
    ({ side }): Side<LoadRun> => ({
      name: side,
      async run() {
        const child = join(benchFolder, 'dist', 'child.js');
        const { stdout, peakBytes } = await runNode([child, 'load', packedFile(model, scope, side)]);
        const { seconds, baseBytes, decodedBytes }: LoadResult = JSON.parse(stdout);
        return { seconds, peakBytes, baseBytes, decodedBytes };
      },
    }),
  );
  if (python !== undefined) {
    sides.push({
      name: NOTEBOOK,
      async run() {
        const file = packedFile(model, scope, NOTEBOOK);
        const { seconds, peakBytes, baseBytes } = await runNotebook(python, 'notebook_load.py', [file]);
        return { seconds: seconds.read + seconds.reassemble, arraySeconds: seconds.read, peakBytes, baseBytes };
      },
    });
  }
  const runs = await interleave(sides, {
    rounds,
    onRound: (done, all) => log(`load: ${model}, ${scope}: round ${done} of ${all}`),
  });
  const notebook = runs.get(NOTEBOOK);
  return [...runs].map(([side, measured]): LoadRow => {
    const row = sideRow({ model, scope, side }, measured, notebook);
    const [{ decodedBytes }] = measured;
    return {
      ...row,
      riseBytes: summarize(measured.map((run) => Math.max(0, run.peakBytes - run.baseBytes))),
      ...(decodedBytes !== undefined && { decodedBytes }),
      ...(notebook !== undefined &&
        row.timesFaster !== undefined && {
          timesFasterThanArrays: timesFaster(measured, notebook, ({ arraySeconds }) => arraySeconds!),
        }),
    };
  });
}
