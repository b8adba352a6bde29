import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  entriesOf,
  type Limits,
  type ModelMetadata,
  PruneError,
  type ReadableMap,
  type Tensor,
  TOKENIZER_FILES,
} from '@prune/core';
import { atomicFile, refuseExisting, writeWholeFile } from '@prune/core/node';
import { writeSafetensors } from '../write-safetensors.js';

/** Options of {@link writeCheckpointFolder}. */
export interface WriteCheckpointFolderOptions {
  /** For messages: where the tensors come from. */
  readonly name?: string;
  /** Replace what the folder holds of another model. Default false: refuse, naming the file. */
  readonly force?: boolean;
  readonly signal?: AbortSignal;
  readonly onTensor?: (name: string, tensor: Tensor) => void;
  readonly limits?: Limits;
}

/**
 * Writes a folder that transformers loads: `model.safetensors`, `config.json` and the tokenizer's files. Makes the folder, and those
 * above it, when it is not there. Throws `invalid-argument` when it holds a model and `force` is not set, `unsupported` for a file
 * that is not a tokenizer's, `io`, and what {@link writeSafetensors} throws.
 */
export async function writeCheckpointFolder(
  folder: string,
  { tensors, metadata }: { readonly tensors: ReadableMap<Tensor>; readonly metadata: ModelMetadata },
  { name, force, ...options }: WriteCheckpointFolderOptions = {},
): Promise<void> {
  checkFiles(metadata, name);
  await refuseExisting(join(folder, 'model.safetensors'), force);
  await mkdir(folder, { recursive: true });
  await writeSafetensors(await atomicFile(join(folder, 'model.safetensors')), tensors, options);
  const { config, files = new Map<string, Uint8Array>() } = metadata;
  if (config !== undefined) {
    await writeWholeFile(join(folder, 'config.json'), new TextEncoder().encode(`${JSON.stringify(config, null, 2)}\n`));
  }
  for await (const [file, bytes] of entriesOf(files)) await writeWholeFile(join(folder, file), bytes);
}

/**
 * A store must not choose which files are written: those of a tokenizer alone, so neither a path nor somebody's
 * Makefile.
 */
function checkFiles({ files }: ModelMetadata, where: string | undefined): void {
  for (const name of files?.keys() ?? []) {
    if (TOKENIZER_FILES.includes(name)) continue;
    throw new PruneError('unsupported', {
      where,
      what: "holds a file that is not a tokenizer's",
      got: name,
      wanted: TOKENIZER_FILES.join(', '),
    });
  }
}
