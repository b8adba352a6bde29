import {
  DTYPES,
  type Elementary,
  isPruneError,
  type Limits,
  MAX_DEFLATE_RATIO,
  Pacer,
  PruneError,
  tensorFromBytes,
} from '@prune/core';
import { unshuffle } from '../format/shuffle.js';
import { chunkGrid } from './chunk-runs.js';
import { decodeString } from './decode-string.js';
import type { FileBytes } from './file-bytes.js';
import type { IndexEntry } from './file-index.js';
import type { Inflate, InflateBeside } from './inflate.js';
import type { Chunk, ChunkedStorage } from './read-storage.js';

/** What reading a value needs besides its entry. */
export interface Reading {
  readonly file: FileBytes;
  readonly inflate: Inflate;
  /** For tensors of several large chunks. */
  readonly inflateBeside?: InflateBeside;
  readonly place: { readonly where: string; readonly tensor: string };
}

/** Chunks of this many bytes, of one tensor, are inflated beside each other: smaller ones take less time than another thread. */
const LARGE_CHUNK = 2 ** 16;
/** A single chunk is inflated on another thread from this many bytes on: it would hold up the event loop for 10 ms. */
const LARGE_SINGLE = 2 ** 22;
/** How many: what a small pool has threads for, and what fits into little memory. */
const BESIDE = 4;

/** The value of an entry of the index, in memory of its own. Throws `corrupt` with its name. */
export async function readValue({ info, storage }: IndexEntry, reading: Reading, limits: Limits): Promise<Elementary> {
  const { dtype, shape } = info;
  const { file, place } = reading;
  if (dtype === 'string') return decodeString(storage.kind === 'here' ? storage.data : new Uint8Array(), place);
  const { bytes: width } = DTYPES[dtype];
  const bytes =
    storage.kind === 'here'
      ? storage.data.slice()
      : storage.kind === 'run'
        ? file.borrow(storage.address, storage.bytes).slice()
        : await joinChunks(shape, width, storage, reading);
  return tensorFromBytes(dtype, shape, bytes, place, limits);
}

/** The row-major bytes of a tensor of chunks. */
async function joinChunks(
  shape: readonly number[],
  width: number,
  storage: ChunkedStorage,
  reading: Reading,
): Promise<Uint8Array> {
  const { chunks } = storage;
  const size = shape.reduce((product, dimension) => product * dimension, width);
  const { chunkLength, oneRun, nextRuns } = chunkGrid(shape, storage.shape);
  const chunkSize = chunkLength * width;
  const [first] = chunks;
  const { inflateBeside } = reading;
  const least = chunks.length === 1 ? LARGE_SINGLE : LARGE_CHUNK;
  // A chunk that is the whole tensor becomes its memory.
  if (
    chunks.length === 1 &&
    chunkSize === size &&
    isApplied(storage, 'gzip', first) &&
    !isApplied(storage, 'shuffle', first)
  ) {
    if (inflateBeside === undefined || chunkSize < least) return readChunk(first, chunkSize, storage, reading);
    return readChunkBeside(first, chunkSize, storage, reading, inflateBeside);
  }
  const tensor = new Uint8Array(size);
  function put(chunk: Chunk, stored: Uint8Array) {
    const shuffled = isApplied(storage, 'shuffle', chunk);
    let elements = stored;
    if (shuffled && !oneRun) {
      elements = new Uint8Array(chunkSize);
      unshuffle(stored, width, elements);
    }
    nextRuns((from, to, length) => {
      const target = tensor.subarray(to * width, (to + length) * width);
      if (shuffled && oneRun) unshuffle(stored, width, target);
      else target.set(elements.subarray(from * width, (from + length) * width));
    });
  }
  const pacer = new Pacer();
  if (inflateBeside === undefined || chunkSize < least) {
    for (const chunk of chunks) {
      await pacer.pause();
      put(chunk, readChunk(chunk, chunkSize, storage, reading));
    }
    return tensor;
  }
  const start = (chunk: Chunk): Promise<Uint8Array> => {
    const reads = readChunkBeside(chunk, chunkSize, storage, reading, inflateBeside);
    // Told when its turn comes; until then, and should it never come, it is no unhandled rejection.
    reads.catch(() => {});
    return reads;
  };
  const started = chunks.slice(0, BESIDE).map(start);
  for (const [i, chunk] of chunks.entries()) {
    const stored = await started.shift()!;
    await pacer.pause();
    if (i + BESIDE < chunks.length) started.push(start(chunks[i + BESIDE]));
    put(chunk, stored);
  }
  return tensor;
}

/** A chunk as it was shuffled, exactly `length` bytes: borrowed of the file where it is not deflated. */
function readChunk(chunk: Chunk, length: number, storage: ChunkedStorage, reading: Reading): Uint8Array {
  const { file, inflate, place } = reading;
  checkExpansion(chunk, length, storage, reading);
  const stored = file.borrow(chunk.address, chunk.bytes);
  if (!isApplied(storage, 'gzip', chunk)) return ofLength(stored, length, place);
  try {
    return ofLength(inflate(stored, length), length, place);
  } catch (cause) {
    throw inflateError(cause, place);
  }
}

/** The same in memory of its own, inflated on another thread. */
async function readChunkBeside(
  chunk: Chunk,
  length: number,
  storage: ChunkedStorage,
  reading: Reading,
  inflateBeside: InflateBeside,
): Promise<Uint8Array> {
  const { file, place } = reading;
  if (!isApplied(storage, 'gzip', chunk)) return readChunk(chunk, length, storage, reading).slice();
  checkExpansion(chunk, length, storage, reading);
  const stored = file.read(chunk.address, chunk.bytes);
  try {
    return ofLength(await inflateBeside(stored, length), length, place);
  } catch (cause) {
    throw inflateError(cause, place);
  }
}

function checkExpansion(chunk: Chunk, length: number, storage: ChunkedStorage, { place }: Reading): void {
  if (length > (isApplied(storage, 'gzip', chunk) ? MAX_DEFLATE_RATIO : 1) * chunk.bytes) {
    throw new PruneError('corrupt', {
      ...place,
      what: 'a chunk cannot be that long',
      got: length,
      wanted: chunk.bytes,
    });
  }
}

function ofLength(data: Uint8Array, length: number, place: Reading['place']): Uint8Array {
  if (data.byteLength !== length) {
    throw new PruneError('corrupt', { ...place, what: 'bytes of a chunk', got: data.byteLength, wanted: length });
  }
  return data;
}

function inflateError(cause: unknown, place: Reading['place']): PruneError {
  if (isPruneError(cause)) return cause;
  return new PruneError('corrupt', { ...place, what: `a chunk does not inflate: ${String(cause)}`, cause });
}

/** Whether a filter of the dataset was used for this chunk. */
function isApplied({ filters }: ChunkedStorage, filter: 'shuffle' | 'gzip', { mask }: Chunk): boolean {
  const place = filters.indexOf(filter);
  return place !== -1 && (mask & (1 << place)) === 0;
}
