import { type Limits, locateError, type RandomAccess, tensorFromBytes } from '@prune/state-dict';
import type { Checkpoint, CheckpointFormat } from '../checkpoint.js';
import { type Extent, extentOf, gather } from './strided.js';
import type { StorageReference, TensorReference } from './torch-pickle.js';

/** A checkpoint over tensor references, each checked against its storage now and read by `readStorage` later. */
export function torchCheckpoint(
  source: Required<RandomAccess>,
  format: CheckpointFormat,
  references: ReadonlyMap<string, TensorReference>,
  readStorage: (storage: StorageReference, offset: number, length: number) => Promise<Uint8Array>,
  limits: Limits,
): Checkpoint {
  const extents = new Map<string, Extent>();
  for (const [name, reference] of references) extents.set(name, extentOf(reference, name, limits));
  return {
    name: source.name,
    format,
    keys: () => references.keys(),
    info: (name) => {
      const reference = references.get(name);
      return reference && { dtype: reference.dtype, shape: reference.shape };
    },
    async get(name) {
      const reference = references.get(name);
      const extent = extents.get(name);
      if (reference === undefined || extent === undefined) return undefined;
      const place = { where: source.name, tensor: name };
      try {
        const span = await readStorage(reference.storage, extent.begin, extent.end - extent.begin);
        const bytes = extent.contiguous ? span : gather(reference, span);
        return tensorFromBytes(reference.dtype, reference.shape, bytes, place, limits);
      } catch (error) {
        throw locateError(error, place);
      }
    },
    close: () => source.close(),
  };
}
