import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { goldenPath } from '@prune/fixtures';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BENCH_SKIP_CONDITIONS } from '../../test/skip-conditions.js';
import { proveEqual } from '../model/prove-equal.js';
import { findPython, type Python } from './python.js';
import { runNotebook } from './run-notebook.js';

describe.skipIf(await BENCH_SKIP_CONDITIONS['no-notebook-python']())("the notebook's steps in Python", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'prune-notebook-'));
  });
  afterEach(() => rm(folder, { recursive: true }));
  const run = async (script: string, ...args: string[]) => runNotebook((await findPython()) as Python, script, args);

  it.each([
    ['encoder', 'squad_sparse.h5'],
    ['whole', 'squad_sparse_with_embs.h5'],
  ])('of the %s write what the notebook wrote, and read it back', async (scope, file) => {
    const saved = await run('notebook_save.py', goldenPath('tiny'), folder, scope);
    expect(Object.keys(saved.seconds)).toEqual(['load', 'quantize', 'csr', 'write']);
    expect(saved.peakBytes).toBeGreaterThan(50e6);
    await proveEqual(join(folder, file), goldenPath(`tiny/${file}`));
    const metadata = JSON.parse(await readFile(join(folder, 'metadata.json'), 'utf8'));
    expect(metadata['bert.encoder.layer.0.attention.self.query']).toEqual({ version: 4 });

    const loaded = await run('notebook_load.py', join(folder, file));
    expect(Object.keys(loaded.seconds)).toEqual(['read', 'reassemble']);
    expect(loaded.peakBytes).toBeGreaterThanOrEqual(loaded.baseBytes);
  });
});
