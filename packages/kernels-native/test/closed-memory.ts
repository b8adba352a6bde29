import { createRequire } from 'node:module';
import type { AnyLinear } from '@prune/kernels';
import { input, spec } from '../../kernels/test/close-suite.js';
import type { Addon } from '../src/addon.js';
import { nativeEngineOn } from '../src/native-engine.js';

/** What closed-memory.test.ts asks of a process of its own. */
export interface Rounds {
  /** The path of the addon. */
  readonly addon: string;
  readonly kernels: number;
  readonly threads: number;
  readonly rounds: number;
}

/**
 * Loads, uses and closes an encoder and a Linear many times on one engine. Gives how much more resident memory there is
 * after the last round than after the first 50.
 */
export default async function closesOften({ addon, kernels, threads, rounds }: Rounds): Promise<number> {
  const engine = nativeEngineOn(createRequire(import.meta.url)(addon) as Addon, kernels, threads);
  let early = 0;
  for (let round = 1; round <= rounds; round++) {
    const encoder = await engine.loadEncoder(spec);
    const linear = engine.loadLinear(spec.layers[0].query as AnyLinear, { profile: 'fbgemm', rowwise: false });
    await encoder.forward(input, [40]);
    linear.apply(input);
    await encoder.close();
    linear.close();
    if (round === 50) early = resident();
  }
  const late = resident();
  await engine.close();
  return late - early;
}

function resident(): number {
  (globalThis as { gc?: () => void }).gc?.();
  return process.memoryUsage.rss();
}
