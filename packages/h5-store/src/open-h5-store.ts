import { checkArgument, type Limits, type ModelMetadata, type TensorStore } from '@prune/core';
import type { H5WasmSource } from './h5wasm/h5-wasm.js';
import { memoryFile } from './h5wasm/memory-file.js';
import { openH5 } from './open-h5.js';
import { memoryBytes } from './read/file-bytes.js';
import { inflateWithFflate } from './read/inflate.js';

/** Options of {@link openH5Store}. */
export interface OpenH5Options {
  /** For messages. */
  readonly name?: string;
  /** What travels beside the file (see {@link metadataOf}); the file itself has no place for it. */
  readonly metadata?: ModelMetadata;
  readonly limits?: Limits;
}

/**
 * Opens the bytes of an HDF5 file in the notebook's layout. `h5wasm`, the in-memory build, is asked for, and loaded, only when the file has structures that
 * neither h5py's files of this layout nor this package's have. The bytes are not copied and must not change while the store is open; tensors have memory
 * of their own. Keys come in natural order (`layer.2` before `layer.10`): the file keeps none.
 * Throws `corrupt`, `unsupported` or `limit` with the file's name and the tensor's; `io` when h5wasm itself crashed.
 */
export async function openH5Store(
  h5wasm: H5WasmSource | null,
  source: Uint8Array,
  options: OpenH5Options = {},
): Promise<TensorStore> {
  const { name: where = 'HDF5 file', metadata = {}, limits } = options;
  const wanted = "a Uint8Array, the file's bytes, after h5wasm or null";
  checkArgument(source instanceof Uint8Array, { where, what: 'source of openH5Store(h5wasm, source)', wanted }, source);
  return openH5(memoryBytes(source), {
    where,
    metadata,
    limits,
    inflate: inflateWithFflate,
    startHdf5: () => memoryFile(h5wasm, source, where),
  });
}
