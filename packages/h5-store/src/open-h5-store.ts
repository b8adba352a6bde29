import type { Limits, ModelMetadata, TensorStore } from '@prune/state-dict';
import type { H5Wasm } from './h5-wasm.js';
import { memoryFile } from './memory-file.js';
import { readH5 } from './read-h5.js';

/** Options of {@link openH5Store}. */
export interface OpenH5Options {
  /** For messages. */
  readonly name?: string;
  /** What travels beside the file (see {@link metadataOf}); the file itself has no place for it. */
  readonly metadata?: ModelMetadata;
  readonly limits?: Limits;
}

/**
 * Opens the bytes of an HDF5 file in the notebook's layout; `h5wasm` is the in-memory build. The bytes are not copied and must not change while the
 * store is open; tensors have memory of their own. Keys come in natural order (`layer.2` before `layer.10`): the file keeps none.
 * Throws `corrupt`, `unsupported` or `limit` with the file's name and the tensor's; `io` when h5wasm itself crashed.
 */
export async function openH5Store(
  h5wasm: H5Wasm,
  source: Uint8Array,
  options: OpenH5Options = {},
): Promise<TensorStore> {
  const { session, path, file, remove } = await memoryFile(h5wasm, source, options.name ?? 'HDF5 file');
  const { metadata = {}, limits } = options;
  return readH5(session, { path, file, metadata, limits, onClose: remove });
}
