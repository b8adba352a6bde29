import { join } from 'node:path';
import { benchFolder } from '../bench-folder.js';
import type { LoadResult } from '../child/load-task.js';
import { interleave, ratios, type Side } from '../harness/interleave.js';
import type { Python } from '../harness/python.js';
import { runNode } from '../harness/run-child.js';
import { runNotebook } from '../harness/run-notebook.js';
import { type Summary, summarize } from '../harness/summary.js';
import { NOTEBOOK, PACK_SIDES, packedFile } from '../pack/pack-sides.js';
import type { Scope } from '../pack/scope.js';

/** One way to read a packed model back, measured. */
export interface LoadRow {
  readonly model: string;
  readonly scope: Scope;
  /** One of `PACK_SIDES`, or `notebook`: h5py, scipy and the re-assembly of the state dict. */
  readonly side: string;
  /** From opening the file to every array in memory; runtimes, imports and h5wasm's start are not counted on any side. */
  readonly seconds: Summary;
  /** The most memory that was resident in the process. */
  readonly peakBytes: Summary;
  /** The same above what was resident before the file was opened. */
  readonly riseBytes: Summary;
  /** Bytes of all arrays in memory; prune only. */
  readonly decodedBytes?: number;
  /** Python's time (re-assembly included) over this side's, round by round. */
  readonly timesFaster?: Summary;
  /** Python's time for h5py alone over this side's. */
  readonly timesFasterThanArrays?: Summary;
}

interface LoadRun {
  readonly seconds: number;
  readonly arraySeconds?: number;
  readonly peakBytes: number;
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
    const seconds = measured.map((run) => run.seconds);
    return {
      model,
      scope,
      side,
      seconds: summarize(seconds),
      peakBytes: summarize(measured.map((run) => run.peakBytes)),
      riseBytes: summarize(measured.map((run) => Math.max(0, run.peakBytes - run.baseBytes))),
      ...(measured[0].decodedBytes !== undefined && { decodedBytes: measured[0].decodedBytes }),
      ...(notebook !== undefined &&
        side !== NOTEBOOK && {
          timesFaster: summarize(
            ratios(
              notebook.map((run) => run.seconds),
              seconds,
            ),
          ),
          timesFasterThanArrays: summarize(
            ratios(
              notebook.map((run) => run.arraySeconds!),
              seconds,
            ),
          ),
        }),
    };
  });
}
