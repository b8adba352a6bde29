import { fileURLToPath } from 'node:url';
import { runInChild } from '@prune/fixtures';
import { expect, test } from 'vitest';
import { type FuzzOutcome, fuzzContainers } from '../test/fuzz-containers.js';

/** Mutants in a run; PRUNE_FUZZ multiplies. */
const MUTANTS = 800 * Number(process.env.PRUNE_FUZZ ?? 1);

const MODULE = fileURLToPath(new URL('../test/fuzz-containers.ts', import.meta.url));
const FUZZ = `export { fuzzContainers as default } from ${JSON.stringify(MODULE)};`;

test('the containers that mutants are made of are whole', async () => {
  expect(await fuzzContainers({ from: 0, count: 2 })).toEqual({
    values: 2,
    errors: {},
    slowestSeconds: expect.any(Number),
  });
});

test('a manifest changed value by value: a value or a PruneError, each within 5 s, all within 128 MB', async () => {
  const argument = { from: 2, count: MUTANTS };
  const { value, peakBytes, ...rest } = await runInChild(FUZZ, { argument, timeoutSeconds: 3600 });
  const outcome = value as FuzzOutcome;
  expect(rest).not.toHaveProperty('error');
  expect(outcome.failure).toBeUndefined();
  expect(outcome.errors.corrupt).toBeGreaterThan(0.3 * MUTANTS);
  expect(outcome.values).toBeGreaterThan(0);
  expect(outcome.slowestSeconds).toBeLessThan(5);
  expect(peakBytes).toBeLessThan(128_000_000);
}, 3_600_000);
