import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  entriesOf,
  type Limits,
  locateError,
  type ModelMetadata,
  PruneError,
  type ReadableMap,
  type Tensor,
  TOKENIZER_FILES,
} from '@prune/core';
import { fileGroup, stagedFolder } from '@prune/core/node';
import { writeSafetensors } from '../write-safetensors.js';
import { CHECKPOINT_FILES } from './locate-checkpoint.js';

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

const WEIGHTS_FILE = 'model.safetensors';
const CONFIG_FILE = 'config.json';

/**
 * Weights that transformers may find beside ours: the files that a folder is searched for, shards, and other
 * frameworks' files.
 */
const OTHER_WEIGHTS = new Set([...CHECKPOINT_FILES, 'tf_model.h5', 'flax_model.msgpack']);
const SHARD = /^(pytorch_)?model-\d+-of-\d+\.(safetensors|bin)$/;

/**
 * Writes a folder that transformers loads: `model.safetensors`, `config.json` and the tokenizer's files, which become
 * visible together. A folder that is not there is made, with those above it, and appears in one step; in one that is
 * there, `model.safetensors` appears last (see `fileGroup` of `@prune/core/node`).
 *
 * Throws `invalid-argument` when the folder holds a `model.safetensors` and `mismatch` when a file beside it says
 * something else, unless `force` is set; with `force` too, `mismatch` for weights in other files and for a tokenizer's
 * file or a configuration that this model does not have: a reader would take them for a part of it, and they are not
 * ours to remove. Throws `unsupported` for a file that is not a tokenizer's, `io`, and what {@link writeSafetensors}
 * throws.
 */
export async function writeCheckpointFolder(
  folder: string,
  { tensors, metadata }: { readonly tensors: ReadableMap<Tensor>; readonly metadata: ModelMetadata },
  { name, force, ...options }: WriteCheckpointFolderOptions = {},
): Promise<void> {
  checkFiles(metadata, name);
  const beside = await filesBeside(metadata);
  const writeInto = async (where: string) => {
    const group = await fileGroup(join(where, WEIGHTS_FILE), { force, shownAs: join(folder, WEIGHTS_FILE) });
    try {
      await writeSafetensors(group.main, tensors, options);
      await group.commit(async (files) => {
        // Again, as it may have changed.
        checkFolder(folder, await files.names(), beside);
        return { files: beside };
      });
    } catch (error) {
      await group.abort();
      throw error;
    }
  };
  if (await isThere(folder)) {
    const names = await readdir(folder).catch((error) => {
      throw locateError(error, { where: folder });
    });
    checkFolder(folder, names, beside);
    return writeInto(folder);
  }
  const staged = await stagedFolder(folder);
  try {
    await writeInto(staged.temporaryPath);
    await staged.commit();
  } catch (error) {
    await staged.abort();
    throw error;
  }
}

async function isThere(folder: string): Promise<boolean> {
  const found = await stat(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw locateError(error, { where: folder });
  });
  if (found?.isDirectory() === false) throw new PruneError('io', { where: folder, what: 'is not a folder' });
  return found !== undefined;
}

async function filesBeside({ config, files = new Map<string, Uint8Array>() }: ModelMetadata) {
  const beside = new Map<string, Uint8Array>();
  if (config !== undefined) {
    beside.set(CONFIG_FILE, new TextEncoder().encode(`${JSON.stringify(config, null, 2)}\n`));
  }
  for await (const [file, bytes] of entriesOf(files)) beside.set(file, bytes);
  return beside;
}

/** Refuses a folder where a reader would find more than the new model. Each file may be gzipped. */
function checkFolder(folder: string, names: readonly string[], beside: ReadonlyMap<string, Uint8Array>): void {
  for (const name of names) {
    const plain = name.replace(/\.gz$/, '');
    const refuse = (what: string) => {
      throw new PruneError('mismatch', { where: join(folder, name), what, wanted: 'another folder' });
    };
    if (name !== WEIGHTS_FILE && (OTHER_WEIGHTS.has(plain) || SHARD.test(plain))) refuse('holds weights of a model');
    if ((plain === CONFIG_FILE || TOKENIZER_FILES.includes(plain)) && !beside.has(plain)) {
      refuse('exists, and this model has none');
    }
  }
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
