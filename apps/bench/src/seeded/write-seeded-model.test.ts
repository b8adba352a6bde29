import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCheckpoint } from '@prune/checkpoint/node';
import { firstDifference } from '@prune/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { seededModel } from './seeded-model.js';
import { writeSeededModel } from './write-seeded-model.js';

const SMALL = {
  layers: 1,
  hidden: 24,
  heads: 2,
  intermediate: 48,
  vocabulary: 11,
  positions: 7,
  density: 0.2,
} as const;

let parent: string;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'prune-seeded-'));
});
afterEach(() => rm(parent, { recursive: true }));

describe('writeSeededModel', () => {
  it('no layer', async () => {
    const { folder } = await writeSeededModel({ ...SMALL, layers: 0 }, { parent });
    expect((await readdir(folder)).sort()).toEqual(['config.json', 'model.safetensors', 'seeded.json']);
  });

  it('writes what seededModel makes, the same bytes everywhere', async () => {
    const { folder, sha256 } = await writeSeededModel(SMALL, { parent });
    expect(sha256).toMatchInlineSnapshot(`"ed99166129d8d6813dde50202baca5d5f55821f483cb0be64790d05e84ad811d"`);
    const checkpoint = await openCheckpoint(folder);
    try {
      const model = seededModel(SMALL);
      expect(await firstDifference(model.stateDict, checkpoint.tensors)).toBeUndefined();
      expect(checkpoint.metadata.config).toEqual(model.config);
    } finally {
      await checkpoint.close();
    }
  });

  it('makes a whole folder once, and again when it is not whole or of another generator', async () => {
    const written: string[] = [];
    const write = () => writeSeededModel(SMALL, { parent, onTensor: (name) => written.push(name) });
    const first = await write();
    const count = written.length;
    expect(await write()).toEqual(first);
    expect(written).toHaveLength(count);
    const stamp = join(first.folder, 'seeded.json');
    await writeFile(stamp, (await readFile(stamp, 'utf8')).replace('"generator":1', '"generator":0'));
    expect(await write()).toEqual(first);
    await rm(stamp);
    expect(await write()).toEqual(first);
    expect(written).toHaveLength(3 * count);
  });

  it('models of other sizes, densities and seeds have folders of their own', async () => {
    const folders = [SMALL, { ...SMALL, density: 0.3 }, { ...SMALL, seed: 2 }, { ...SMALL, hidden: 26 }];
    const names = await Promise.all(folders.map((options) => writeSeededModel(options, { parent })));
    expect(new Set(names.map(({ folder }) => folder)).size).toBe(4);
  });
});
