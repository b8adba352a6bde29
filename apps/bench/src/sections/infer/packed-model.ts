import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openCheckpoint } from '@prune/checkpoint/node';
import { writeStore } from '@prune/core';
import { packCheckpoint } from '@prune/model-files';
import { createStore } from '@prune/model-files/node';
import { workFolder } from '../../bench-folder.js';
import type { BenchModel } from '../../model/bench-model.js';

/** The whole model in a `.prune` file, its embedding tables as int8 rows, packed anew: what is measured is what the code of today writes. */
export async function packedModel({ name, folder }: BenchModel): Promise<string> {
  const target = join(workFolder, 'infer');
  await mkdir(target, { recursive: true });
  const path = join(target, `${name}.prune`);
  const checkpoint = await openCheckpoint(folder);
  try {
    const { entries, metadata } = packCheckpoint(checkpoint, { embeddings: 'int8' });
    await writeStore(await createStore(path, { force: true }), entries, metadata);
  } finally {
    await checkpoint.close();
  }
  return path;
}
