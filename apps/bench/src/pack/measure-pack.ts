import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { repositoryFolder, workFolder } from '../bench-folder.js';
import { interleave, ratios, type Side } from '../harness/interleave.js';
import type { Python } from '../harness/python.js';
import { runNode } from '../harness/run-child.js';
import { runNotebook } from '../harness/run-notebook.js';
import { type Summary, summarize } from '../harness/summary.js';
import { proveEqual } from '../model/prove-equal.js';
import { EXCLUDED, type Scope } from './scope.js';

/** One way to pack a model, measured. */
export interface PackRow {
  readonly model: string;
  readonly scope: Scope;
  /** `prune h5`, `prune msgpack`, or `notebook`: the notebook's steps in Python. */
  readonly side: string;
  /** prune: the whole process, start-up included. notebook: its steps alone, imports not counted. */
  readonly seconds: Summary;
  /** The most memory that was resident in the process. */
  readonly peakBytes: Summary;
  readonly fileBytes: number;
  /** Python's time over this side's, round by round. */
  readonly timesFaster?: Summary;
  /** Medians by step; notebook only. */
  readonly steps?: Readonly<Record<string, number>>;
}

/** Options of {@link measurePack}. */
export interface MeasurePackOptions {
  readonly rounds: number;
  readonly scope: Scope;
  /** Left out: prune alone is measured. */
  readonly python?: Python;
  readonly log?: (line: string) => void;
}

interface PackRun {
  readonly seconds: number;
  readonly peakBytes: number;
  readonly steps?: Record<string, number>;
}

/** The files of one model and scope as every side wrote them; `load` reads them. */
export interface PackedFiles {
  readonly h5: string;
  readonly msgpack: string;
  readonly notebook?: string;
}

/** Where {@link measurePack} leaves its files. */
export function packedFiles(model: string, scope: Scope): Required<PackedFiles> {
  const folder = join(workFolder, 'packed', `${model}-${scope}`);
  const notebook = join(folder, 'notebook', scope === 'encoder' ? 'squad_sparse.h5' : 'squad_sparse_with_embs.h5');
  return { h5: join(folder, 'model.h5'), msgpack: join(folder, 'model.prune'), notebook };
}

/**
 * Packs a model folder into either store with the command line, and with the notebook's steps in Python, gzip level 9 in all of them. The files are proven equal,
 * tensor by tensor, before anything is timed. The checkpoint is in the page cache for every side.
 */
export async function measurePack(
  model: string,
  folder: string,
  { rounds, scope, python, log = () => {} }: MeasurePackOptions,
): Promise<{ readonly rows: PackRow[]; readonly versions: Readonly<Record<string, string>> }> {
  const files = packedFiles(model, scope);
  await mkdir(join(files.notebook, '..'), { recursive: true });
  let versions: Readonly<Record<string, string>> = {};
  const excluded = ['--exclude', EXCLUDED[scope].join(',')];
  const cli = join(repositoryFolder, 'apps', 'cli', 'bin', 'prune.js');
  const pack = (name: string, output: string): Side<PackRun> => ({
    name,
    async run() {
      const args = [cli, 'pack', folder, '-o', output, '--level', '9', ...excluded, '--quiet'];
      const { wallSeconds, peakBytes } = await runNode(args);
      return { seconds: wallSeconds, peakBytes };
    },
  });
  const sides = [pack('prune h5', files.h5), pack('prune msgpack', files.msgpack)];
  const outputs = new Map([
    ['prune h5', files.h5],
    ['prune msgpack', files.msgpack],
  ]);
  if (python !== undefined) {
    outputs.set('notebook', files.notebook);
    sides.push({
      name: 'notebook',
      async run() {
        const result = await runNotebook(python, 'notebook_save.py', [folder, join(files.notebook, '..'), scope]);
        versions = result.versions;
        return { seconds: total(result.seconds), peakBytes: result.peakBytes, steps: result.seconds };
      },
    });
  }
  for (const side of sides) await side.run(-1);
  for (const path of [...outputs.values()].slice(1)) await proveEqual(files.h5, path);
  log(`pack: ${model}, ${scope}: ${[...outputs.keys()].join(', ')} hold the same tensors, bit for bit`);

  const runs = await interleave(sides, {
    rounds,
    warmup: 0,
    onRound: (done, all) => log(`pack: round ${done} of ${all}`),
  });
  const notebook = runs.get('notebook')?.map(({ seconds }) => seconds);
  const rows = await Promise.all(
    [...runs].map(async ([side, measured]): Promise<PackRow> => {
      const seconds = measured.map((run) => run.seconds);
      return {
        model,
        scope,
        side,
        seconds: summarize(seconds),
        peakBytes: summarize(measured.map(({ peakBytes }) => peakBytes)),
        fileBytes: (await stat(outputs.get(side)!)).size,
        ...(notebook !== undefined && side !== 'notebook' && { timesFaster: summarize(ratios(notebook, seconds)) }),
        ...(measured[0].steps && { steps: medians(measured.map(({ steps }) => steps!)) }),
      };
    }),
  );
  return { rows, versions };
}

function total(steps: Readonly<Record<string, number>>): number {
  return Object.values(steps).reduce((a, b) => a + b, 0);
}

/** The median of each step. */
function medians(runs: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  return Object.fromEntries(Object.keys(runs[0]).map((step) => [step, summarize(runs.map((run) => run[step])).median]));
}
