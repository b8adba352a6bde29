import {
  type ByteSource,
  checkLimit,
  DEFAULT_LIMITS,
  type JsonObject,
  type Limits,
  locateError,
  PruneError,
  shown,
} from '@prune/core';
import type { Checkpoint, OpenOptions } from './checkpoint.js';
import { openTensorFile } from './open-tensor-file.js';

// Each shard is an open file; the largest public models have about 200.
const MAX_SHARDS = 512;

// No folder, drive or stream of Windows in it, no control character, and not hidden, which `.` and `..` are too.
const PLAIN_FILE_NAME = /^(?!\.)[^/\\:\p{Cc}]{1,255}$/u;

/**
 * Opens a checkpoint of several files by its index (`model.safetensors.index.json`: `weight_map` says which file has a tensor).
 * `openShard` opens a file by its plain name; names with a folder in them are refused. Tensors that the index does not name are not seen.
 * Throws `corrupt` for a bad index, `missing` for a tensor that is not in its shard, and whatever opening a shard throws.
 */
export async function openSharded(
  index: JsonObject,
  openShard: (file: string) => Promise<ByteSource>,
  options: OpenOptions = {},
): Promise<Checkpoint> {
  const { limits = DEFAULT_LIMITS, name = 'index' } = options;
  const place = { where: name };
  const fileOf = readWeightMap(index, limits, place);
  const files = new Set(fileOf.values());
  checkLimit('too many shards', files.size, MAX_SHARDS, place);

  const shards = new Map<string, Checkpoint>();
  const close = async () => {
    await Promise.all([...shards.values()].map((shard) => shard.close()));
  };
  try {
    let tensors = 0;
    for (const file of files) {
      const shard = await openTensorFile(await openShard(file), { limits, name: file });
      shards.set(file, shard);
      for (const _ of shard.keys()) tensors++;
      checkLimit('too many tensors in all shards', tensors, limits.tensors);
    }
    for (const [tensor, file] of fileOf) {
      if (shards.get(file)?.info(tensor) === undefined) {
        throw new PruneError('missing', { where: file, what: 'tensor of the index is not in its shard', tensor });
      }
    }
  } catch (error) {
    await close().catch(() => {});
    throw locateError(error, place);
  }
  const shardOf = (tensor: string) => shards.get(fileOf.get(tensor) ?? '');
  return {
    name,
    format: [...shards.values()][0].format,
    keys: () => fileOf.keys(),
    info: (tensor) => shardOf(tensor)?.info(tensor),
    get: async (tensor) => shardOf(tensor)?.get(tensor),
    pieces: (tensor) => shardOf(tensor)?.pieces(tensor),
    close,
  } satisfies Required<Checkpoint>;
}

function readWeightMap({ weight_map: map }: JsonObject, limits: Limits, place: { where: string }): Map<string, string> {
  const tensors = typeof map === 'object' && map !== null && !Array.isArray(map) ? Object.keys(map).length : 0;
  if (tensors === 0) throw new PruneError('corrupt', { ...place, what: 'index has no weight_map' });
  checkLimit('too many tensors', tensors, limits.tensors, place);
  const fileOf = new Map<string, string>();
  for (const [tensor, file] of Object.entries(map as JsonObject)) {
    checkLimit('name is too long', tensor.length, limits.nameLength, place);
    if (typeof file !== 'string' || !PLAIN_FILE_NAME.test(file)) {
      throw new PruneError('corrupt', {
        ...place,
        what: 'shard name',
        got: shown(file),
        wanted: 'a plain file name',
        tensor,
      });
    }
    fileOf.set(tensor, file);
  }
  return fileOf;
}
