import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type ByteSink,
  entriesOf,
  isSentenceFile,
  jsonText,
  type Limits,
  locateError,
  MODULES_JSON,
  type ModelMetadata,
  memorySink,
  PruneError,
  type ReadableMap,
  SENTENCE_FILES,
  sentencePipeline,
  type Tensor,
  TOKENIZER_FILES,
} from '@prune/core';
import { fileGroup, stagedFolder } from '@prune/core/node';
import { writeSafetensors } from '../write-safetensors.js';
import { CHECKPOINT_FILES } from './locate-checkpoint.js';

/** Options of {@link writeModelFolder}. */
export interface WriteModelFolderOptions {
  /** For messages: where the model comes from. */
  readonly name?: string;
  /** Replace what the folder holds of another model. Default false: refuse, naming the file. */
  readonly force?: boolean;
  readonly signal?: AbortSignal;
  /** Called for each tensor of safetensors files that is written. */
  readonly onTensor?: (name: string, tensor: Tensor) => void;
  readonly limits?: Limits;
}

/** A model for {@link writeModelFolder}. */
export interface FolderModel {
  readonly metadata: ModelMetadata;
  /** The name of the file of weights. */
  readonly file: string;
  /**
   * Writes the file of weights, commits its sink, and aborts it when anything fails. `isBeside` tells of a name whether
   * its tensor has a file of its own in the folder.
   */
  write(sink: ByteSink, isBeside: (name: string) => boolean): Promise<void>;
  /** The tensors of the modules that have files of their own: those of sentence-transformers' Dense modules. */
  readonly tensors: ReadableMap<Tensor>;
}

export const WEIGHTS_FILE = 'model.safetensors';
const CONFIG_FILE = 'config.json';

/**
 * Weights that transformers may find beside ours: the files that a folder is searched for, shards, and other
 * frameworks' files.
 */
const OTHER_WEIGHTS = new Set([...CHECKPOINT_FILES, 'tf_model.h5', 'flax_model.msgpack']);
const SHARD = /^(pytorch_)?model-\d+-of-\d+\.(safetensors|bin)$/;

/**
 * The files that {@link writeModelFolder} writes, by their paths in the folder. A store that names files of its own is
 * refused when it is written.
 */
export function modelFolderFiles({ metadata, file }: Pick<FolderModel, 'metadata' | 'file'>): readonly string[] {
  const held = new Set(metadata.files?.keys());
  return [
    file,
    ...(metadata.config === undefined ? [] : [CONFIG_FILE]),
    ...TOKENIZER_FILES.filter((name) => held.has(name)),
    ...Object.keys(metadata.sentence ?? {}).filter(isSentenceFile),
    ...denseFolders(metadata).map((folder) => `${folder}/${WEIGHTS_FILE}`),
  ];
}

/**
 * Writes a folder: the file of weights, `config.json`, the tokenizer's files and those of sentence-transformers, where
 * the model came with them, which become visible together. A folder that is not there is made, with those above it, and
 * appears in one step; in one that is there, the file of weights appears last (see `fileGroup` of `@prune/core/node`).
 *
 * Throws `invalid-argument` when the folder holds a file of that name and `mismatch` when a file beside it says
 * something else, unless `force` is set; with `force` too, `mismatch` for a tokenizer's file or a configuration that
 * this model does not have, and for weights in other files beside a `model.safetensors`: a reader would take them for a
 * part of it, and they are not ours to remove. Throws `unsupported` for a file that is not a tokenizer's, `io`, and
 * what `write` throws.
 */
export async function writeModelFolder(
  folder: string,
  { file, metadata, tensors, write }: FolderModel,
  { name, force, ...options }: WriteModelFolderOptions = {},
): Promise<void> {
  checkFiles(metadata, name);
  const dense = denseFolders(metadata);
  const beside = await filesBeside(metadata);
  for (const path of dense) beside.set(`${path}/${WEIGHTS_FILE}`, await denseFile(`${path}.`, tensors, options));
  const writeInto = async (where: string) => {
    const group = await fileGroup(join(where, file), { force, shownAs: join(folder, file) });
    try {
      await write(group.main, (tensor) => dense.some((module) => tensor.startsWith(`${module}.`)));
      await group.commit(async (files) => {
        // Again, as it may have changed.
        checkFolder(folder, file, await files.names(), beside);
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
    checkFolder(folder, file, names, beside);
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

async function filesBeside({ config, files = new Map<string, Uint8Array>(), sentence = {} }: ModelMetadata) {
  const beside = new Map<string, Uint8Array>();
  if (config !== undefined) beside.set(CONFIG_FILE, json(config));
  for (const [path, value] of Object.entries(sentence)) beside.set(path, json(value));
  for await (const [file, bytes] of entriesOf(files)) beside.set(file, bytes);
  return beside;
}

function json(value: unknown): Uint8Array {
  return new TextEncoder().encode(`${jsonText(value, 2)}\n`);
}

/** The folders of sentence-transformers' Dense modules, whose weights each have a file there. */
function denseFolders({ sentence }: ModelMetadata): readonly string[] {
  const modules = sentence === undefined ? [] : sentencePipeline(sentence).modules;
  return modules.flatMap((module) => (module.kind === 'dense' ? [module.folder] : []));
}

/** The tensors whose names begin with `prefix`, as a safetensors file of their own. */
async function denseFile(
  prefix: string,
  tensors: ReadableMap<Tensor>,
  options: WriteModelFolderOptions,
): Promise<Uint8Array> {
  const names = [...tensors.keys()].filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
  const sink = memorySink();
  await writeSafetensors(sink, { keys: () => names, get: (name) => tensors.get(prefix + name) }, options);
  return sink.bytes();
}

/** Refuses a folder where a reader would find more than the new model. Each file may be gzipped. */
function checkFolder(
  folder: string,
  file: string,
  names: readonly string[],
  beside: ReadonlyMap<string, Uint8Array>,
): void {
  for (const name of names) {
    const plain = name.replace(/\.gz$/, '');
    const refuse = (what: string) => {
      throw new PruneError('mismatch', { where: join(folder, name), what, wanted: 'another folder' });
    };
    // Whoever loads a file of another name names it.
    if (file === WEIGHTS_FILE && name !== file && (OTHER_WEIGHTS.has(plain) || SHARD.test(plain))) {
      refuse('holds weights of a model');
    }
    const known = plain === CONFIG_FILE || TOKENIZER_FILES.includes(plain) || isSentenceFile(plain);
    if (known && !beside.has(plain)) {
      refuse('exists, and this model has none');
    }
  }
}

/**
 * A store must not choose which files are written: those of a tokenizer and of sentence-transformers, so neither a path
 * nor somebody's Makefile.
 */
function checkFiles({ files, sentence = {} }: ModelMetadata, where: string | undefined): void {
  for (const name of files?.keys() ?? []) {
    if (TOKENIZER_FILES.includes(name)) continue;
    throw new PruneError('unsupported', {
      where,
      what: "holds a file that is not a tokenizer's",
      got: name,
      wanted: TOKENIZER_FILES.join(', '),
    });
  }
  for (const name of Object.keys(sentence)) {
    if (isSentenceFile(name)) continue;
    throw new PruneError('unsupported', {
      where,
      what: "holds a file that is not one of sentence-transformers'",
      got: name,
      wanted: [MODULES_JSON, ...SENTENCE_FILES, '1_Pooling/config.json and the like'].join(', '),
    });
  }
}
