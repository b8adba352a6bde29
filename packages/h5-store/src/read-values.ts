import { DTYPES, type Elementary, type Limits, PruneError, tensorFromBytes } from '@prune/state-dict';
import { decodeString } from './decode-string.js';
import type { IndexEntry } from './file-index.js';
import { chunkGrid } from './format/chunk-runs.js';
import type { FileBytes } from './format/file-bytes.js';
import type { Chunk, ChunkedStorage } from './format/read-storage.js';
import { unshuffle } from './format/shuffle.js';
import type { Inflate } from './inflate.js';

/** What reading a value needs besides its entry. */
interface Reading {
  readonly file: FileBytes;
  readonly inflate: Inflate;
  readonly place: { readonly where: string; readonly tensor: string };
}

/** No deflate stream holds more than this times its own length. */
const MOST_EXPANSION = 1032;

/** The value of an entry of the index, in memory of its own. Throws `corrupt` with its name. */
export function readValue({ info, storage }: IndexEntry, reading: Reading, limits: Limits): Elementary {
  const { dtype, shape } = info;
  const { file, place } = reading;
  if (dtype === 'string') return decodeString(storage.kind === 'here' ? storage.data : new Uint8Array(), place);
  const { bytes: width } = DTYPES[dtype];
  const bytes =
    storage.kind === 'here'
      ? storage.data.slice()
      : storage.kind === 'run'
        ? file.borrow(storage.address, storage.bytes).slice()
        : joinChunks(shape, width, storage, reading);
  return tensorFromBytes(dtype, shape, bytes, place, limits);
}

/** The row-major bytes of a tensor of chunks, read one after another. */
function joinChunks(shape: readonly number[], width: number, storage: ChunkedStorage, reading: Reading): Uint8Array {
  const { chunks } = storage;
  const size = shape.reduce((product, dimension) => product * dimension, width);
  const { chunkLength, oneRun, nextRuns } = chunkGrid(shape, storage.shape);
  const chunkSize = chunkLength * width;
  const [first] = chunks;
  // A chunk that is the whole tensor becomes its memory.
  if (
    chunks.length === 1 &&
    chunkSize === size &&
    isApplied(storage, 'gzip', first) &&
    !isApplied(storage, 'shuffle', first)
  ) {
    return readChunk(first, chunkSize, storage, reading);
  }
  const tensor = new Uint8Array(size);
  for (const chunk of chunks) {
    const stored = readChunk(chunk, chunkSize, storage, reading);
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
  return tensor;
}

/** A chunk as it was shuffled, exactly `length` bytes: borrowed of the file where it is not deflated. */
function readChunk(
  chunk: Chunk,
  length: number,
  storage: ChunkedStorage,
  { file, inflate, place }: Reading,
): Uint8Array {
  const stored = file.borrow(chunk.address, chunk.bytes);
  const deflated = isApplied(storage, 'gzip', chunk);
  if (length > (deflated ? MOST_EXPANSION : 1) * chunk.bytes) {
    throw new PruneError('corrupt', {
      ...place,
      what: 'a chunk cannot be that long',
      got: length,
      wanted: chunk.bytes,
    });
  }
  let data = stored;
  if (deflated) {
    try {
      data = inflate(stored, length);
    } catch (cause) {
      throw new PruneError('corrupt', { ...place, what: `a chunk does not inflate: ${String(cause)}`, cause });
    }
  }
  if (data.byteLength !== length) {
    throw new PruneError('corrupt', { ...place, what: 'bytes of a chunk', got: data.byteLength, wanted: length });
  }
  return data;
}

/** Whether a filter of the dataset was used for this chunk. */
function isApplied({ filters }: ChunkedStorage, filter: 'shuffle' | 'gzip', { mask }: Chunk): boolean {
  const place = filters.indexOf(filter);
  return place !== -1 && (mask & (1 << place)) === 0;
}
