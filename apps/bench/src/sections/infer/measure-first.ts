import { join } from 'node:path';
import { benchFolder } from '../../bench-folder.js';
import { interleave } from '../../harness/interleave.js';
import { runNode } from '../../harness/run-child.js';
import { summarize } from '../../harness/summary.js';
import type { FirstRow } from './infer-report.js';
import { type InferFiles, sidesOf } from './sides.js';

/** Time and peak memory from a file on disk (in the page cache) to the first answer, each side in a new process. */
export async function measureFirst(model: string, files: InferFiles, rounds: number): Promise<FirstRow[]> {
  const child = join(benchFolder, 'dist', 'child.js');
  const sides = [...sidesOf(files, 1)].map(([name, spec]) => ({
    name,
    async run() {
      const { stdout, peakBytes } = await runNode([child, 'first', JSON.stringify(spec)]);
      const { seconds }: { seconds: number } = JSON.parse(stdout);
      return { seconds, peakBytes };
    },
  }));
  const runs = await interleave(sides, { rounds });
  return [...runs].map(([side, measured]) => ({
    model,
    side,
    seconds: summarize(measured.map(({ seconds }) => seconds)),
    peakBytes: summarize(measured.map(({ peakBytes }) => peakBytes)),
  }));
}
