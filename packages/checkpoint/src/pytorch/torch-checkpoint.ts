import { type Limits, locateError, type RandomAccess, type Tensor, tensorBytes, tensorFromBytes } from '@prune/core';
import type { Checkpoint, CheckpointFormat } from '../checkpoint.js';
import { pieceReader } from '../piece-reader.js';
import { tensorPieces } from '../tensor-pieces.js';
import { type Extent, extentOf, gather } from './strided.js';
import type { StorageReference, TensorReference } from './torch-pickle.js';

/** Where the elements of storages are. */
export interface Storages {
  /** Bytes of a storage. */
  read(storage: StorageReference, offset: number, length: number): Promise<Uint8Array>;
  /** Where a storage begins in the file; `undefined` when it is not there as it is, but deflated. */
  position(storage: StorageReference): number | undefined | Promise<number | undefined>;
}

/** A checkpoint over tensor references, each checked against its storage now and read from there later. */
export function torchCheckpoint(
  source: Required<RandomAccess>,
  format: CheckpointFormat,
  references: ReadonlyMap<string, TensorReference>,
  storages: Storages,
  limits: Limits,
): Checkpoint {
  const extents = new Map<string, Extent>();
  for (const [name, reference] of references) extents.set(name, extentOf(reference, name, limits));
  const readPieces = pieceReader(source);

  async function get(name: string): Promise<Tensor | undefined> {
    const reference = references.get(name);
    const extent = extents.get(name);
    if (reference === undefined || extent === undefined) return undefined;
    const place = { where: source.name, tensor: name };
    try {
      const span = await storages.read(reference.storage, extent.begin, extent.end - extent.begin);
      const bytes = extent.contiguous ? span : gather(reference, span);
      return tensorFromBytes(reference.dtype, reference.shape, bytes, place, limits);
    } catch (error) {
      throw locateError(error, place);
    }
  }

  /** The bytes of a tensor as they lie in the file; in one piece where they do not. */
  async function* bytesOf(name: string, { storage }: TensorReference, { begin, end, contiguous }: Extent) {
    const position = contiguous ? await storages.position(storage) : undefined;
    if (position !== undefined) yield* readPieces(position + begin, position + end);
    else yield tensorBytes((await get(name))!);
  }

  return {
    name: source.name,
    format,
    keys: () => references.keys(),
    info: (name) => {
      const reference = references.get(name);
      return reference && { dtype: reference.dtype, shape: reference.shape };
    },
    get,
    pieces(name) {
      const reference = references.get(name);
      const extent = extents.get(name);
      if (reference === undefined || extent === undefined) return undefined;
      const place = { where: source.name, tensor: name };
      return tensorPieces(reference, () => bytesOf(name, reference, extent), place, limits);
    },
    close: () => source.close(),
  };
}
