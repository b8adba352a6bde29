import { checkReadableMap, type ModelMetadata, type ReadableMap, type Tensor } from '@prune/core';
import { checkPath } from '@prune/core/node';
import { writeSafetensors } from '../write-safetensors.js';
import {
  modelFolderFiles,
  WEIGHTS_FILE,
  type WriteModelFolderOptions,
  writeModelFolder,
} from './write-model-folder.js';

/** Options of {@link writeCheckpointFolder}. */
export type WriteCheckpointFolderOptions = WriteModelFolderOptions;

/** The files that {@link writeCheckpointFolder} writes, by their paths in the folder. */
export function checkpointFolderFiles(metadata: ModelMetadata): readonly string[] {
  return modelFolderFiles({ metadata, file: WEIGHTS_FILE });
}

/**
 * Writes a folder that transformers loads, with the weights in `model.safetensors`, by {@link writeModelFolder}. Throws
 * what {@link writeSafetensors} throws, too.
 */
export async function writeCheckpointFolder(
  folder: string,
  model: { readonly tensors: ReadableMap<Tensor>; readonly metadata: ModelMetadata },
  options: WriteCheckpointFolderOptions = {},
): Promise<void> {
  checkPath(folder);
  const { tensors, metadata = {} } = model ?? {};
  checkReadableMap('checkpoint', 'tensors of writeCheckpointFolder(folder, { tensors, metadata })', tensors);
  const { signal, limits, onTensor } = options;
  await writeModelFolder(
    folder,
    {
      metadata,
      file: WEIGHTS_FILE,
      tensors,
      write(sink, isBeside) {
        const names = [...tensors.keys()].filter((name) => !isBeside(name));
        const own = { keys: () => names, get: (name: string) => tensors.get(name) };
        return writeSafetensors(sink, own, { signal, limits, onTensor });
      },
    },
    options,
  );
}
