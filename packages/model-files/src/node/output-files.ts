import type { ModelMetadata } from '@prune/core';
import { changedBesideH5 } from '@prune/h5-store/node';
import { type StoreKind, storeOfName } from './model-path.js';

/**
 * The files that `createStore` would make or replace at `path` for a model with this metadata: the store itself, and
 * those beside an HDF5 file that say something else. Throws `invalid-argument` as `createStore` does.
 */
export async function outputFiles(path: string, metadata: ModelMetadata, store?: StoreKind): Promise<string[]> {
  if (storeOfName(path, store) === 'msgpack') return [path];
  return [path, ...(await changedBesideH5(path, metadata))];
}
