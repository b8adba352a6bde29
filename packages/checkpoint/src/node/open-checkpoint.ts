import { readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { checkLimit, DEFAULT_LIMITS, locateError, type ModelMetadata, PruneError } from '@prune/state-dict';
import type { Checkpoint, OpenOptions } from '../checkpoint.js';
import { openSharded } from '../open-sharded.js';
import { openTensorFile } from '../open-tensor-file.js';
import { parseJson } from '../parse-json.js';
import { withTransformersNames } from '../with-transformers-names.js';
import { tensorFileSource } from './tensor-file-source.js';

/** A checkpoint with what lies beside it. */
export interface OpenCheckpoint {
  /** The float state dict, under transformers' names, in its own dtypes. */
  readonly tensors: Checkpoint;
  /** config.json and the files of the tokenizer, each where it is there. */
  readonly metadata: ModelMetadata;
  /** Closes the files. */
  close(): Promise<void>;
}

/** What a model folder may keep its tensors in, in the order of preference that transformers has. */
const TENSOR_FILES = [
  'model.safetensors',
  'model.safetensors.index.json',
  'pytorch_model.bin',
  'pytorch_model.bin.index.json',
];

const TOKENIZER_FILES = ['vocab.txt', 'tokenizer.json', 'tokenizer_config.json', 'special_tokens_map.json'];

/**
 * Opens a Hugging Face model folder, or one checkpoint file with config.json and tokenizer files beside it: safetensors, sharded safetensors or
 * either PyTorch format, each gzipped or not. Nothing but the header is read before a tensor is asked for; a gzipped file is unpacked into
 * a temporary file that has no name. Throws `missing` for a path or folder without a checkpoint, and what the readers throw.
 */
export async function openCheckpoint(path: string, options: OpenOptions = {}): Promise<OpenCheckpoint> {
  const isFolder = await stat(path).then(
    (info) => info.isDirectory(),
    (cause) => {
      throw new PruneError('missing', { where: path, what: 'no such file or folder', cause });
    },
  );
  const folder = isFolder ? path : dirname(path);
  const metadata = await readMetadata(folder);
  const file = isFolder ? await tensorFileIn(folder) : path;
  const checkpoint = await openFile(file, folder, options);
  try {
    const tensors = withTransformersNames(checkpoint, metadata.config);
    return { tensors, metadata, close: () => tensors.close() };
  } catch (error) {
    await checkpoint.close();
    throw locateError(error, { where: file });
  }
}

async function openFile(path: string, folder: string, options: OpenOptions): Promise<Checkpoint> {
  const { limits = DEFAULT_LIMITS, name = path } = options;
  if (!path.endsWith('.json')) return openTensorFile(await tensorFileSource(path, limits), { ...options, name });
  const index = parseJson(await readWhole(path, limits.headerBytes), path);
  return openSharded(index, (shard) => shardSource(folder, shard, limits), { ...options, name });
}

/** A shard as it lies in the folder, gzipped or not. */
async function shardSource(folder: string, shard: string, limits: typeof DEFAULT_LIMITS) {
  const path = join(folder, shard);
  return tensorFileSource((await exists(path)) ? path : `${path}.gz`, limits);
}

async function tensorFileIn(folder: string): Promise<string> {
  for (const name of TENSOR_FILES) {
    for (const path of [join(folder, name), join(folder, `${name}.gz`)]) if (await exists(path)) return path;
  }
  throw new PruneError('missing', {
    where: folder,
    what: 'no checkpoint in the folder',
    wanted: `one of ${TENSOR_FILES.join(', ')}, gzipped or not`,
  });
}

async function readMetadata(folder: string): Promise<ModelMetadata> {
  const { headerBytes } = DEFAULT_LIMITS;
  const configPath = join(folder, 'config.json');
  const files = new Map<string, Uint8Array>();
  for (const name of TOKENIZER_FILES) {
    const path = join(folder, name);
    if (await exists(path)) files.set(name, await readWhole(path, headerBytes));
  }
  const config = (await exists(configPath))
    ? parseJson(await readWhole(configPath, headerBytes), configPath)
    : undefined;
  return { ...(config && { config }), ...(files.size > 0 && { files }) };
}

async function readWhole(path: string, limit: number): Promise<Uint8Array> {
  checkLimit('file is too large (bytes)', (await stat(path)).size, limit, { where: path });
  const bytes = await readFile(path);
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    (info) => info.isFile(),
    () => false,
  );
}
