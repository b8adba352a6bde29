import { PruneError } from '@prune/core';
import type { Manifest, ManifestModel } from './manifest.js';

/**
 * The model of that name, or the only one. Throws `invalid-argument` when there are several and no name is given,
 * `missing` when there is none of that name; both list the names.
 */
export function modelOfManifest({ models }: Manifest, wanted: string | undefined): ManifestModel {
  if (wanted === undefined && models.length === 1) return models[0];
  const found = models.find(({ name }) => name !== undefined && name === wanted);
  if (found !== undefined) return found;
  const names = models.flatMap(({ name }) => name ?? []).join(', ');
  if (wanted === undefined) {
    throw new PruneError('invalid-argument', {
      what: `the file holds ${models.length} models`,
      wanted: `one of ${names}`,
    });
  }
  const there = names === '' ? 'no name, the file holds one model' : `one of ${names}`;
  throw new PruneError('missing', { what: 'no such model', got: wanted, wanted: there });
}
