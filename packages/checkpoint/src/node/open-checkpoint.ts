import { basename, dirname, join, resolve } from 'node:path';
import {
  type ByteSource,
  checkLimit,
  DEFAULT_LIMITS,
  type JsonObject,
  type Limits,
  locateError,
  type ModelMetadata,
  parseJson,
  type RandomAccess,
  type SentencePipeline,
  TOKENIZER_FILES,
} from '@prune/core';
import { type MainFile, openMainFile, openSource } from '@prune/core/node';
import type { Checkpoint } from '../checkpoint.js';
import { quantizedAlready } from '../float-tensors.js';
import { missingParts } from '../missing-parts.js';
import { nameStaged } from '../name-staged.js';
import { openSharded } from '../open-sharded.js';
import { openStagedFile } from '../open-staged-file.js';
import { ownSource } from '../own-source.js';
import { sniffFormat } from '../sniff-format.js';
import type { ElementaryCheckpoint, QuantizedCheckpoint, StagedCheckpoint } from '../staged-checkpoint.js';
import { stagedWithMore } from '../staged-with-more.js';
import { type DenseTensors, denseTensors } from './dense-tensors.js';
import { externalFile } from './external-file.js';
import { gunzipFile } from './gunzip-file.js';
import { isFile } from './is-file.js';
import { type LocatedCheckpoint, locateCheckpoint } from './locate-checkpoint.js';
import { readSmallFile } from './read-small-file.js';
import { sentenceFolder } from './sentence-folder.js';

export interface OpenCheckpointOptions {
  readonly limits?: Limits;
  /** Bytes that a gzipped checkpoint may inflate to: 8 GiB, six times BERT-large in float32. */
  readonly maxInflatedBytes?: number;
  /** Where a gzipped checkpoint is inflated; the system's temporary folder by default. */
  readonly temporaryFolder?: string;
  readonly signal?: AbortSignal;
  /** The state dict to take where the file has several, see `OpenOptions`. */
  readonly stateDict?: string;
  /**
   * The bytes of the file, where they have been read already: a pipe's can be read once. Closed with the checkpoint.
   */
  readonly source?: Required<RandomAccess>;
}

/** What lies beside a checkpoint. */
interface BesideCheckpoint {
  /** `config`, the tokenizer's `files` and `sentence`, where they are there. */
  readonly metadata: ModelMetadata;
  /** The folder's or the file's name. */
  readonly name: string;
  /** Every file that was read, or is read when a tensor is asked for. */
  readonly paths: readonly string[];
  /** What the reader did beyond reading, one sentence each: see {@link QuantizedCheckpoint.notes}. */
  readonly notes: readonly string[];
  close(): Promise<void>;
}

/** An open checkpoint of floats and what lies beside it. */
export interface OpenCheckpoint extends BesideCheckpoint {
  readonly stage: 'float';
  /** The tensors under the names that transformers loads them by. */
  readonly tensors: Checkpoint;
}

/** An open checkpoint at the stage that its model is at. */
export type OpenStagedCheckpoint =
  | OpenCheckpoint
  | (BesideCheckpoint & Pick<QuantizedCheckpoint, 'stage' | 'quantized'>)
  | (BesideCheckpoint & Pick<ElementaryCheckpoint, 'stage' | 'elementary'>);

const MAX_INFLATED_BYTES = 8 * 2 ** 30;
// config.json has 1 KB; an index has 100 bytes a tensor.
const MAX_CONFIG_BYTES = 1 << 20;
const MAX_INDEX_BYTES = 1 << 24;
// Of memory, once the index is parsed: a name and a shard take about 200.
const INDEX_BYTES_PER_TENSOR = 400;

/**
 * {@link openStagedCheckpoint} for a checkpoint of floats. Throws `unsupported` for a model that is quantized already.
 */
export async function openCheckpoint(path: string, options: OpenCheckpointOptions = {}): Promise<OpenCheckpoint> {
  const checkpoint = await openStagedCheckpoint(path, options);
  if (checkpoint.stage === 'float') return checkpoint;
  await checkpoint.close();
  throw quantizedAlready(checkpoint.stage, path);
}

/**
 * Opens a Hugging Face model folder, or one file of tensors with the config and tokenizer beside it. Safetensors (one file or shards with
 * an index) and both PyTorch formats, told apart by content, gzipped or not; a gzipped one is inflated to a temporary file that is
 * gone when it is closed. Names are as transformers loads them (`withTransformersNames`), at every stage, and the masks
 * of `torch.nn.utils.prune` are applied (`withPrunedWeights`); `notes` says what was changed. For a model that PyTorch
 * quantized `metadata` has what torch says of the modules' versions.
 * An ONNX model has the names that its graph proves, and the config, where the folder has none.
 * A folder of sentence-transformers' (`modules.json`) has its JSON files in `metadata.sentence`, and the weights of its
 * Dense modules under `<folder>.linear.weight`.
 * When another model takes its place meanwhile, that one is opened, or `io` is thrown.
 * Throws `missing` when there is nothing to open, `invalid-argument` for a file of several models, and what
 * `openStagedFile` and {@link openSharded} throw.
 */
export async function openStagedCheckpoint(
  path: string,
  options: OpenCheckpointOptions = {},
): Promise<OpenStagedCheckpoint> {
  const located = await locateCheckpoint(path);
  return openMainFile(
    join(located.folder, located.file),
    (main) => openParts(located, main, options),
    (opened) => opened.close(),
  );
}

/** The weights, and what lies beside them. */
async function openParts(
  { root, isFolder, folder, file }: LocatedCheckpoint,
  main: MainFile,
  options: OpenCheckpointOptions,
): Promise<OpenStagedCheckpoint> {
  const { limits = DEFAULT_LIMITS } = options;
  const paths: string[] = [];
  const configFile = await readSmallFile(folder, 'config.json', MAX_CONFIG_BYTES);
  if (configFile !== undefined) paths.push(configFile.path);
  const config = configFile && parseJson(configFile.bytes, join(folder, 'config.json'));
  const files = new Map<string, Uint8Array>();
  // Each may be gzipped, so that they are bounded in all: one limit for each would allow 200 MB from 200 kB.
  let room = limits.metadataBytes;
  for (const name of TOKENIZER_FILES) {
    const found = await readSmallFile(folder, name, room);
    if (found === undefined) continue;
    files.set(name, found.bytes);
    paths.push(found.path);
    room -= found.bytes.length;
  }
  const sentence = await sentenceFolder(root);
  paths.push(...(sentence?.paths ?? []));
  const opener = fileOpener(options, paths);
  const weights = await openFile(join(folder, file), opener, options, config);
  const dense = sentence && (await openDense(root, sentence.pipeline, weights, opener, options));
  const opened = dense === undefined ? weights : stagedWithMore(weights, dense.tensors);
  const known = config ?? opened.config;
  const beside = {
    name: basename(isFolder ? resolve(root) : file),
    metadata: {
      ...(known && { config: known }),
      ...(files.size > 0 && { files }),
      ...(sentence && { sentence: sentence.files }),
    },
    paths,
    notes: [...opened.notes, ...missingParts(namesOf(opened), known)],
    async close() {
      await weights.close();
      await dense?.close();
      await main.close();
    },
  };
  if (opened.stage === 'float') return { ...beside, stage: 'float', tensors: opened.tensors };
  if (opened.stage === 'elementary') return { ...beside, stage: 'elementary', elementary: opened.elementary };
  const { stage, quantized, modules, profile } = opened;
  const metadata = { ...beside.metadata, ...(modules && { modules }), ...(profile && { profile }) };
  return { ...beside, metadata, stage, quantized };
}

/** The weights of a folder's Dense modules. Closes those of the model when it fails. */
async function openDense(
  root: string,
  pipeline: SentencePipeline,
  weights: StagedCheckpoint,
  openBytes: FileOpener,
  { limits }: OpenCheckpointOptions,
): Promise<DenseTensors> {
  try {
    return await denseTensors(root, pipeline, async (path) => openStagedFile(await openBytes(path), { limits }));
  } catch (error) {
    await weights.close();
    throw error;
  }
}

function namesOf(opened: StagedCheckpoint): Iterable<string> {
  if (opened.stage === 'float') return opened.tensors.keys();
  return opened.stage === 'quantized' ? opened.quantized.keys() : opened.elementary.keys();
}

async function openFile(
  path: string,
  openBytes: FileOpener,
  options: OpenCheckpointOptions,
  config: JsonObject | undefined,
): Promise<StagedCheckpoint> {
  const { limits = DEFAULT_LIMITS } = options;
  let opened: StagedCheckpoint | undefined;
  try {
    opened = await ownSource(await openBytes(path, options.source), path, async (source) => {
      if ((await sniffFormat(source)) !== 'json') {
        const openExternal = async (file: string) => openBytes(await externalFile(path, file));
        return openStagedFile(source, { limits, config, openExternal, stateDict: options.stateDict });
      }
      const tensors = await openIndex(path, source, openBytes, options);
      return { stage: 'float', notes: [], tensors, close: () => tensors.close() };
    });
    return nameStaged(opened, config, options.stateDict);
  } catch (error) {
    await opened?.close();
    throw locateError(error, { where: path });
  }
}

/** Opens a file, or `source` where its bytes have been read already. */
type FileOpener = (path: string, source?: Required<RandomAccess>) => Promise<Required<RandomAccess>>;

/** Opens files as their bytes, or what these inflate to, and adds each path to `paths`. */
function fileOpener(options: OpenCheckpointOptions, paths: string[]): FileOpener {
  const { limits = DEFAULT_LIMITS, maxInflatedBytes = MAX_INFLATED_BYTES, signal, temporaryFolder } = options;
  return async (path, given) => {
    paths.push(path);
    const source = given ?? (await openSource(path, { limits, signal }));
    const gzipped = await ownSource(source, path, async () => (await sniffFormat(source)) === 'gzip');
    if (!gzipped) return source;
    try {
      return await gunzipFile(source, path, { limits, maxBytes: maxInflatedBytes, signal, temporaryFolder });
    } finally {
      await source.close();
    }
  };
}

async function openIndex(
  path: string,
  source: Required<RandomAccess>,
  openBytes: FileOpener,
  options: OpenCheckpointOptions,
): Promise<Checkpoint> {
  const { limits = DEFAULT_LIMITS } = options;
  checkLimit('index is too large (bytes)', source.size, MAX_INDEX_BYTES);
  const index = parseJson(await source.read(0, source.size), path, INDEX_BYTES_PER_TENSOR * limits.tensors);
  await source.close();
  const openShard = async (file: string): Promise<ByteSource> => {
    const shard = join(dirname(path), file);
    return openBytes((await isFile(shard)) || !(await isFile(`${shard}.gz`)) ? shard : `${shard}.gz`);
  };
  return openSharded(index, openShard, { name: path, limits: options.limits });
}
