import { mkdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { repositoryFolder } from '../../bench-folder.js';
import { interleave, type Side } from '../../harness/interleave.js';
import type { Python } from '../../harness/python.js';
import { runNode } from '../../harness/run-child.js';
import { runNotebook } from '../../harness/run-notebook.js';
import { summarize } from '../../harness/summary.js';
import { proveEqual } from '../../model/prove-equal.js';
import { NOTEBOOK, PACK_SIDES, packedFile } from '../sides/pack-sides.js';
import { EXCLUDED, type Scope } from '../sides/scope.js';
import { type SideRow, type SideRun, sideRow } from '../sides/side-row.js';

/** One way to pack a model, measured. prune: the whole process, start-up included; notebook: its steps alone, imports not counted. */
export interface PackRow extends SideRow {
  readonly fileBytes: number;
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

interface PackRun extends SideRun {
  readonly steps?: Record<string, number>;
}

/**
 * Packs a model folder into every file of ours with the command line, and with the notebook's steps in Python. The files are proven equal,
 * tensor by tensor, before anything is timed. The checkpoint is in the page cache for every side.
 */
export async function measurePack(
  model: string,
  folder: string,
  { rounds, scope, python, log = () => {} }: MeasurePackOptions,
): Promise<{ readonly rows: PackRow[]; readonly versions: Readonly<Record<string, string>> }> {
  const file = (side: string) => packedFile(model, scope, side);
  const notebookFolder = dirname(file(NOTEBOOK));
  await mkdir(notebookFolder, { recursive: true });
  let versions: Readonly<Record<string, string>> = {};
  const cli = join(repositoryFolder, 'apps', 'cli', 'bin', 'prune.js');
  const shared = ['--exclude', EXCLUDED[scope].join(','), '--quiet', '--force'];
  const sides = PACK_SIDES.map(
    ({ side, args }): Side<PackRun> => ({
      name: side,
      async run() {
        const { wallSeconds, peakBytes } = await runNode([cli, 'pack', folder, '-o', file(side), ...args, ...shared]);
        return { seconds: wallSeconds, peakBytes };
      },
    }),
  );
  if (python !== undefined) {
    sides.push({
      name: NOTEBOOK,
      async run() {
        const result = await runNotebook(python, 'notebook_save.py', [folder, notebookFolder, scope]);
        versions = result.versions;
        return { seconds: total(result.seconds), peakBytes: result.peakBytes, steps: result.seconds };
      },
    });
  }
  for (const side of sides) await side.run(-1);
  for (const { name } of sides.slice(1)) await proveEqual(file(sides[0].name), file(name));
  log(`pack: ${model}, ${scope}: ${sides.map(({ name }) => name).join('; ')}: the same tensors, bit for bit`);

  const runs = await interleave(sides, {
    rounds,
    warmup: 0,
    onRound: (done, all) => log(`pack: round ${done} of ${all}`),
  });
  const rows = await Promise.all(
    [...runs].map(
      async ([side, measured]): Promise<PackRow> => ({
        ...sideRow({ model, scope, side }, measured, runs.get(NOTEBOOK)),
        fileBytes: (await stat(file(side))).size,
        ...(measured[0].steps && { steps: medians(measured.map(({ steps }) => steps!)) }),
      }),
    ),
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
