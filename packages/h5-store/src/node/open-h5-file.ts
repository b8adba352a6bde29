import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  checkArgument,
  checkLimit,
  DEFAULT_LIMITS,
  type Limits,
  locateError,
  PruneError,
  type ReadableMap,
  type TensorStore,
} from '@prune/core';
import { fileSource, type MainFile, openMainFile } from '@prune/core/node';
import type { H5WasmSource } from '../h5wasm/h5-wasm.js';
import { metadataOf } from '../metadata-files.js';
import { openH5 } from '../open-h5.js';
import { hostBytes } from './host-bytes.js';
import { hostSession } from './host-session.js';
import { nodeInflate, nodeInflateBeside } from './node-inflate.js';

/** Options of {@link openH5File}. */
export interface OpenH5FileOptions {
  readonly limits?: Limits;
}

/**
 * Opens an HDF5 file in the notebook's layout, with `metadata.json`, `config.json`, `prune.json` and the tokenizer's
 * files beside it, each if it is there. `h5wasm`, the build `h5wasm/node`, is asked for, and loaded, only when the file
 * has structures that neither h5py's files of this layout nor this package's have. Keys come in natural order. When
 * another model takes their place meanwhile, that one is opened, or `io` is thrown; a tokenizer's file is read when it
 * is asked for, and is `io` once its model was replaced. Throws `missing`, `corrupt`, `unsupported`, `limit` or `io`.
 */
export async function openH5File(
  h5wasm: H5WasmSource | null,
  path: string,
  options: OpenH5FileOptions = {},
): Promise<TensorStore> {
  // The path comes second, which callers without types forget: openH5File('model.h5').
  const wanted = 'the name of a file, after h5wasm or null';
  checkArgument(
    typeof path === 'string',
    { where: 'h5-store', what: 'path of openH5File(h5wasm, path)', wanted },
    path,
  );
  return openMainFile(
    path,
    (main) => openFile(h5wasm, path, main, options),
    (store) => store.close(),
  );
}

async function openFile(
  h5wasm: H5WasmSource | null,
  path: string,
  main: MainFile,
  { limits = DEFAULT_LIMITS }: OpenH5FileOptions,
): Promise<TensorStore> {
  const { file, path: absolute, close } = hostBytes(path);
  let open = true;
  const checkOpen = () => {
    if (!open) throw new PruneError('invalid-argument', { where: path, what: 'the store is closed' });
  };
  try {
    const metadata = await metadataOf(await filesBeside(dirname(absolute), main, limits, checkOpen)).catch((error) => {
      throw locateError(error, { where: path });
    });
    const store = await openH5(file, {
      where: path,
      metadata,
      limits,
      inflate: nodeInflate,
      inflateBeside: nodeInflateBeside,
      startHdf5: async () => ({ session: await hostSession(h5wasm, absolute, path, file.size), path: absolute }),
      onClose: close,
    });
    return {
      ...store,
      close() {
        open = false;
        return closeBoth(store, main);
      },
    };
  } catch (error) {
    close();
    throw error;
  }
}

async function closeBoth(store: TensorStore, main: MainFile): Promise<void> {
  try {
    await store.close();
  } finally {
    await main.close();
  }
}

/** The files of a folder, each read when it is asked for, as long as they are those of the file that was opened. */
async function filesBeside(
  folder: string,
  main: MainFile,
  limits: Limits,
  checkOpen: () => void,
): Promise<ReadableMap<Uint8Array>> {
  const names = await readdir(folder);
  return {
    keys: () => names,
    async get(name) {
      checkOpen();
      if (!names.includes(name)) return undefined;
      return main.unreplaced(async () => {
        const source = await fileSource(join(folder, name));
        try {
          checkLimit('file is too large (bytes)', source.size, limits.metadataBytes, { where: name });
          return await source.read(0, source.size);
        } finally {
          await source.close();
        }
      });
    },
  };
}
