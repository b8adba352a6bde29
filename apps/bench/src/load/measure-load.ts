import { join } from 'node:path';
import { benchFolder } from '../bench-folder.js';
import type { LoadResult } from '../child/load-task.js';
import { interleave, ratios, type Side } from '../harness/interleave.js';
import type { Python } from '../harness/python.js';
import { runNode } from '../harness/run-child.js';
import { runNotebook } from '../harness/run-notebook.js';
import { type Summary, summarize } from '../harness/summary.js';
import type { PackedFiles } from '../pack/measure-pack.js';
import type { Scope } from '../pack/scope.js';

/** One way to read a packed model back, measured. */
export interface LoadRow {
  readonly model: string;
  readonly scope: Scope;
  /** `prune h5`, `prune msgpack`, or `notebook`: h5py, scipy and the re-assembly of the state dict. */
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
  files: PackedFiles,
  { rounds, scope, python, log = () => {} }: MeasureLoadOptions,
): Promise<LoadRow[]> {
  const load = (name: string, path: string): Side<LoadRun> => ({
    name,
    async run() {
      const { stdout, peakBytes } = await runNode([join(benchFolder, 'dist', 'child.js'), 'load', path]);
      const { seconds, baseBytes, decodedBytes }: LoadResult = JSON.parse(stdout);
      return { seconds, peakBytes, baseBytes, decodedBytes };
    },
  });
  const sides = [load('prune h5', files.h5), load('prune msgpack', files.msgpack)];
  if (python !== undefined && files.notebook !== undefined) {
    const path = files.notebook;
    sides.push({
      name: 'notebook',
      async run() {
        const { seconds, peakBytes, baseBytes } = await runNotebook(python, 'notebook_load.py', [path]);
        return { seconds: seconds.read + seconds.reassemble, arraySeconds: seconds.read, peakBytes, baseBytes };
      },
    });
  }
  const runs = await interleave(sides, {
    rounds,
    onRound: (done, all) => log(`load: ${model}, ${scope}: round ${done} of ${all}`),
  });
  const notebook = runs.get('notebook');
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
        side !== 'notebook' && {
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
