import { forkSides, type OnMissing } from '../infer/fork-sides.js';
import { measureCell } from '../infer/measure-cell.js';
import type { SideSpec } from '../infer/side.js';
import { ONNXRUNTIME_INT8 } from '../infer/side-names.js';
import { crossoverOf } from './crossover.js';
import type { DensitySweep } from './speed-report.js';

/** Options of {@link measureDensities}. */
export interface MeasureDensitiesOptions {
  readonly tokens: number;
  readonly rounds: number;
  /** At each density, all sides together. */
  readonly seconds: number;
  readonly onMissing: OnMissing;
}

/**
 * Sides of ours at several densities, each against the dense int8 runtime in the same rounds. `specs` has ours at a
 * density, `peer` is the runtime's.
 */
export async function measureDensities(
  models: readonly { readonly density: number; readonly specs: ReadonlyMap<string, SideSpec> }[],
  peer: SideSpec,
  { tokens, rounds, seconds, onMissing }: MeasureDensitiesOptions,
): Promise<DensitySweep[]> {
  const found = new Map<string, DensitySweep['rows'][number][]>();
  const peers = await forkSides(new Map([[ONNXRUNTIME_INT8, peer]]), onMissing);
  try {
    for (const { density, specs } of models) {
      const ours = await forkSides(specs, onMissing);
      try {
        const { rows } = await measureCell('', { batch: 1, tokens }, 1, [...ours, ...peers], { rounds, seconds });
        const secondsOf = (side: string) => rows.find((row) => row.side === side)!.seconds.median;
        for (const { name } of ours) {
          const row = { density, seconds: secondsOf(name), peerSeconds: secondsOf(ONNXRUNTIME_INT8) };
          found.set(name, [...(found.get(name) ?? []), row]);
        }
      } finally {
        await Promise.all(ours.map((side) => side.close()));
      }
    }
  } finally {
    await Promise.all(peers.map((side) => side.close()));
  }
  return [...found].map(([side, rows]) => ({
    side,
    tokens,
    threads: 1,
    peer: ONNXRUNTIME_INT8,
    rows,
    crossover: crossoverOf(rows),
  }));
}
