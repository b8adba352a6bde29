import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { goldenPath } from '@prune/fixtures';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runPrune } from './run-prune.js';

/** A BERT-base sized model as h5py wrote it: 12,883,406 bytes. */
const NOTEBOOK = goldenPath('base/squad_sparse.h5');

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'prune-base-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

test.each([
  ['base.prune', [], 8_700_000],
  ['entropy.prune', ['--codec', 'entropy'], 8_000_000],
  ['base.h5', [], 12_883_406],
])('%s is whole, and at most as large as promised', async (name, options, most) => {
  const path = join(folder, name);
  expect(await runPrune('convert', NOTEBOOK, path, ...options)).toMatchObject({ status: 0, stderr: '' });
  expect(statSync(path).size).toBeLessThanOrEqual(most);
  expect(await runPrune('verify', NOTEBOOK, path)).toMatchObject({ status: 0, stderr: '' });
});
