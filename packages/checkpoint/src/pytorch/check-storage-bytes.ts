import { DTYPES, PruneError } from '@prune/core';
import type { StorageReference } from './torch-pickle.js';

/** Throws `corrupt` unless the file has as many bytes of a storage as the tensor over it says. */
export function checkStorageBytes({ key, elements, dtype }: StorageReference, got: number, tensor: string): void {
  const wanted = elements * DTYPES[dtype].bytes;
  if (got !== wanted) throw new PruneError('corrupt', { what: `storage ${key} (bytes)`, got, wanted, tensor });
}
