import { dirname, join, resolve } from 'node:path';
import type { ModelMetadata } from '@prune/core';
import { folderFiles } from '@prune/core/node';
import { metadataFiles } from '../metadata-files.js';
import { planBesideH5 } from './plan-beside-h5.js';

/**
 * The files beside the HDF5 file at `path` that writing a model with this metadata would replace or remove, so that a
 * caller can ask before long work. Empty when the folder is not there. Throws what `createH5File` throws for metadata.
 */
export async function changedBesideH5(path: string, metadata: ModelMetadata): Promise<string[]> {
  const folder = folderFiles(dirname(resolve(path)));
  const names: readonly string[] = await folder.names().catch(() => []);
  if (names.length === 0) return [];
  const { files, stale = [] } = await planBesideH5(folder, await metadataFiles(metadata, path), metadata);
  const changed = stale.filter((name) => names.includes(name) && !files.has(name));
  for (const [name, bytes] of files) {
    if (names.includes(name) && !(await folder.says(name, bytes))) changed.push(name);
  }
  return changed.map((name) => join(dirname(path), name));
}
