import {
  checkLimit,
  DTYPES,
  elementCount,
  type Limits,
  locateError,
  type RandomAccess,
  type Tensor,
  tensorBytes,
  tensorFromBytes,
} from '@prune/core';
import type { Checkpoint, CheckpointFormat } from '../checkpoint.js';
import { maxExpandedBytes } from '../max-expanded-bytes.js';
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

interface StoredTensor {
  readonly reference: TensorReference;
  readonly extent: Extent;
  readonly place: { readonly where: string; readonly tensor: string };
}

/** A checkpoint over tensor references, each checked against its storage now and read from there later. */
export function torchCheckpoint(
  source: Required<RandomAccess>,
  format: CheckpointFormat,
  references: ReadonlyMap<string, TensorReference>,
  storages: Storages,
  limits: Limits,
): Checkpoint {
  const tensors = new Map<string, StoredTensor>();
  let bytes = 0;
  for (const [name, reference] of references) {
    const place = { where: source.name, tensor: name };
    bytes += elementCount(reference, { tensor: name }, limits) * DTYPES[reference.dtype].bytes;
    tensors.set(name, { reference, extent: extentOf(reference, name, limits), place });
  }
  // Many tensors may view the same bytes.
  checkLimit('tensors of the file are too large in all (bytes)', bytes, maxExpandedBytes(source.size, limits));
  const readPieces = pieceReader(source);

  async function get(name: string): Promise<Tensor | undefined> {
    const tensor = tensors.get(name);
    return tensor && readWhole(tensor);
  }

  async function readWhole({ reference, extent, place }: StoredTensor): Promise<Tensor> {
    try {
      const span = await storages.read(reference.storage, extent.begin, extent.end - extent.begin);
      const bytes = extent.contiguous ? span : gather(reference, span);
      return tensorFromBytes(reference.dtype, reference.shape, bytes, place, limits);
    } catch (error) {
      throw locateError(error, place);
    }
  }

  /** The bytes of a tensor as they lie in the file; in one piece where they do not. */
  async function* bytesOf(tensor: StoredTensor) {
    const { begin, end, contiguous } = tensor.extent;
    const position = contiguous ? await storages.position(tensor.reference.storage) : undefined;
    if (position !== undefined) yield* readPieces(position + begin, position + end);
    else yield tensorBytes(await readWhole(tensor));
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
      const tensor = tensors.get(name);
      return tensor && tensorPieces(tensor.reference, () => bytesOf(tensor), tensor.place, limits);
    },
    close: () => source.close(),
  };
}
