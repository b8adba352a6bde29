import { checkLimit, type Dtype, elementCount, type Limits, MAX_DEFLATE_RATIO, PruneError } from '@prune/core';

/**
 * How many times the bytes of its file a tensor may take. The margin is for chunks that take no bytes of their own,
 * which HDF5 allows: they were never written, or share their bytes with another chunk.
 */
const MOST_EXPANSION = MAX_DEFLATE_RATIO + 68;

/** One whole chunk is held in memory, so a chunk may not be larger than its tensor, or than this. */
const CHUNK_SLACK = 2 ** 24;

/**
 * HDF5 does not store chunks that were never written, but it makes each of them when it reads. 2^14 chunks take it some
 * milliseconds.
 */
const CHUNKS_SLACK = 2 ** 14;

type Place = { readonly where: string; readonly tensor: string };

/** Throws `limit` or `corrupt` for a value that is larger than the limits or than its file can hold; before memory is taken for it. Gives its bytes. */
export function checkSizes(
  {
    dtype,
    shape,
    width,
  }: { readonly dtype: Dtype | 'string'; readonly shape: readonly number[]; readonly width: number },
  place: Place,
  limits: Limits,
  fileBytes: number,
): number {
  const count = elementCount({ dtype: dtype === 'string' ? 'uint8' : dtype, shape }, place, limits);
  const bytes = count * width;
  checkLimit('tensor is too large (bytes)', bytes, limits.tensorBytes, place);
  if (bytes > MOST_EXPANSION * fileBytes) {
    const wanted = `at most ${MOST_EXPANSION} x ${fileBytes}`;
    throw new PruneError('corrupt', { ...place, what: 'declares more than the file can hold', got: bytes, wanted });
  }
  if (dtype === 'string' && count !== 1) {
    const got = `[${shape.join(', ')}]`;
    throw new PruneError('unsupported', { ...place, what: 'array of strings', got, wanted: 'one string' });
  }
  return bytes;
}

/**
 * Throws `corrupt` or `limit` for a chunk shape that no tensor of `bytes` has, or that makes more chunks than its file
 * can index.
 */
export function checkChunks(
  chunk: readonly number[],
  { shape, width, bytes }: { readonly shape: readonly number[]; readonly width: number; readonly bytes: number },
  fileBytes: number,
  place: Place,
): void {
  const chunkBytes = chunk.reduce((product, dimension) => product * dimension, width);
  if (!(chunk.every((dimension) => dimension > 0) && chunkBytes > 0)) {
    throw new PruneError('corrupt', { ...place, what: 'bad chunk shape', got: `[${chunk.join(', ')}]` });
  }
  checkLimit('chunk is too large (bytes)', chunkBytes, Math.max(CHUNK_SLACK, bytes), place);
  const count = shape.reduce((product, dimension, d) => product * Math.ceil(dimension / chunk[d]), 1);
  checkLimit('too many chunks', count, CHUNKS_SLACK + fileBytes / 8, place);
}
