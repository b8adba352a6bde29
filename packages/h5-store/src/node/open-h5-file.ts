import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  checkLimit,
  DEFAULT_LIMITS,
  type Limits,
  locateError,
  type ReadableMap,
  type TensorStore,
} from '@prune/state-dict';
import { fileSource } from '@prune/state-dict/node';
import type { H5Wasm } from '../h5-wasm.js';
import { metadataOf } from '../metadata-files.js';
import { readH5 } from '../read-h5.js';
import { hostFile } from './host-file.js';

/** Options of {@link openH5File}. */
export interface OpenH5FileOptions {
  readonly limits?: Limits;
}

/**
 * Opens an HDF5 file in the notebook's layout, with `metadata.json`, `config.json`, `prune.json` and the tokenizer's files beside it, each if it is there.
 * `h5wasm` is the build `h5wasm/node`. Keys come in natural order. Throws `missing`, `corrupt`, `unsupported`, `limit` or `io`.
 */
export async function openH5File(h5wasm: H5Wasm, path: string, options: OpenH5FileOptions = {}): Promise<TensorStore> {
  const { limits = DEFAULT_LIMITS } = options;
  const { session, file, close, path: absolute } = await hostFile(h5wasm, path);
  try {
    const metadata = await metadataOf(await filesBeside(dirname(absolute), limits)).catch((error) => {
      throw locateError(error, { where: path });
    });
    return await readH5(session, { path: absolute, file, metadata, limits, onClose: close });
  } catch (error) {
    close();
    throw error;
  }
}

/** The files of a folder, each read when it is asked for. */
async function filesBeside(folder: string, limits: Limits): Promise<ReadableMap<Uint8Array>> {
  const names = await readdir(folder);
  return {
    keys: () => names,
    async get(name) {
      if (!names.includes(name)) return undefined;
      const source = await fileSource(join(folder, name));
      try {
        checkLimit('file is too large (bytes)', source.size, limits.headerBytes, { where: name });
        return await source.read(0, source.size);
      } finally {
        await source.close();
      }
    },
  };
}
