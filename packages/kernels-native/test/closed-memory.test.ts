import { fileURLToPath } from 'node:url';
import { runInChild } from '@prune/fixtures';
import { expect, test } from 'vitest';
import { addonPath } from '../src/addon.js';
import type { Rounds } from './closed-memory.js';
import { noNative, testedKernels } from './native-addons.js';

/** `.ci/full` asks for 10,000. JavaScript's own heap grows along by up to 17 MB, and shrinks again. */
const ROUNDS = 20 * Number(process.env.PRUNE_CLOSE_ROUNDS ?? 25);
/** Seconds: 10,000 take minutes on a machine that is shared. */
const LIMIT = 1800;

test.skipIf(noNative)(
  `after ${ROUNDS} closed encoders, resident memory has grown by less than 32 MB`,
  async () => {
    const { kernels } = testedKernels()[0];
    const work = fileURLToPath(new URL('./closed-memory.ts', import.meta.url));
    const argument: Rounds = { addon: addonPath('prune'), kernels, threads: 2, rounds: ROUNDS };
    const { value, error, died } = await runInChild(`export { default } from ${JSON.stringify(work)};`, {
      argument,
      nodeOptions: ['--expose-gc'],
      timeoutSeconds: LIMIT,
    });
    expect([error, died]).toEqual([undefined, undefined]);
    expect(value).toBeLessThan(32e6);
  },
  LIMIT * 1000,
);
