import { codeOf } from '@prune/fixtures';
import { describe, expect, test } from 'vitest';
import { engineOn } from '../src/create-engine.js';
import type { Engine, Kernels, ThreadHost } from '../src/index.js';
import { workerThreads } from '../src/node.js';
import { selectKernels } from '../src/wasm/select-kernels.js';
import { closes, closesMeanwhileOn, spec } from './close-suite.js';
import { EVERYWHERE, enginesOn, noRelaxedSimd, RELAXED } from './kernels.js';

const closesOn = async (kernels: Kernels | 'auto', threads: number) => closes(await enginesOn(kernels, threads));
const NAME = '%s x %d: calls during and after close are refused, closing again is fine';
const withThreads = (all: readonly (Kernels | 'auto')[]) => all.flatMap((one) => [1, 3].map((n) => [one, n] as const));
test.each(withThreads([...EVERYWHERE, 'reference']))(NAME, closesOn);
test.skipIf(noRelaxedSimd).each(withThreads(RELAXED))(NAME, closesOn);

describe.each(['reference', 'auto'] as const)('%s: one engine', (kernels) =>
  closesMeanwhileOn(async () => engineOn(await selectKernels(kernels), 3, workerThreads)),
);

test('is closed while threads start: close waits for them, ends them, and the load is refused', async () => {
  let running = 0;
  let engine: Engine;
  const closing: Promise<void>[] = [];
  const host: ThreadHost = {
    async start(start) {
      if (start.index === 2) closing.push(engine.close());
      const thread = await workerThreads.start(start);
      running++;
      return {
        ...thread,
        async stop() {
          await thread.stop();
          running--;
        },
      };
    },
  };
  engine = await engineOn(await selectKernels('auto'), 5, host);
  expect(await codeOf(() => engine.loadEncoder(spec))).toBe('invalid-argument');
  await Promise.all(closing);
  expect([closing.length, running]).toEqual([1, 0]);
});
