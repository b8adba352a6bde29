import { join } from 'node:path';
import { benchFolder } from '../../bench-folder.js';
import { interleave, ratios } from '../../harness/interleave.js';
import { runNode } from '../../harness/run-child.js';
import { summarize } from '../../harness/summary.js';
import type { FirstRow } from './infer-report.js';
import type { NodeSpec, SideSpec } from './side.js';

/**
 * Time and peak memory from a file on disk (in the page cache) to the first answer, each side in a new process. Sides
 * of Python are left out.
 */
export async function measureFirst(
  model: string,
  specs: ReadonlyMap<string, SideSpec>,
  rounds: number,
): Promise<FirstRow[]> {
  const child = join(benchFolder, 'dist', 'child.js');
  const ofNode = [...specs].filter((side): side is [string, NodeSpec] => !('python' in side[1]));
  const sides = ofNode.map(([name, spec]) => ({
    name,
    async run() {
      const { stdout, peakBytes } = await runNode([child, 'first', JSON.stringify(spec)]);
      const { seconds }: { seconds: number } = JSON.parse(stdout);
      return { seconds, peakBytes };
    },
  }));
  const runs = await interleave(sides, { rounds });
  const secondsOf = (side: string) => runs.get(side)!.map(({ seconds }) => seconds);
  const ours = ofNode.filter(([, { runtime }]) => runtime === 'prune').map(([name]) => name);
  return [...runs].map(([side, measured]): FirstRow => {
    const row = {
      model,
      side,
      seconds: summarize(secondsOf(side)),
      peakBytes: summarize(measured.map(({ peakBytes }) => peakBytes)),
    };
    if (ours.includes(side)) return row;
    const faster = ours.map((our) => [our, summarize(ratios(secondsOf(side), secondsOf(our)))]);
    return { ...row, oursTimesFaster: Object.fromEntries(faster) };
  });
}
