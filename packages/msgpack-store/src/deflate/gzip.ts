import { type Crc32, type EncodedPiece, crc32 as ownCrc32, repeatedShare } from '@prune/core';
import { deflateSync, gzipSync } from 'fflate';
import { literalDeflate, literalDeflateSize } from './literal-deflate.js';
import type { Segment } from './segment.js';

/** fflate's levels, 1 to 9. */
export type GzipLevel = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9;

/** The level that every codec takes when it is not told. */
export const DEFAULT_LEVEL: GzipLevel = 9;

// What is in memory of a large tensor's output at a time; the search for block borders grows coarser past the first.
const PIECE = 1 << 20;
const COARSE_STEP = 1 << 16;
// Two spots of 8 KB tell repeats from noise, for a few per cent of the time that compressing everything twice would take.
const SAMPLE = 1 << 13;
// What goes through LZ77 goes in one piece, so it must fit in memory a few times: fflate 0.8.3's streaming Deflate writes distances to before the
// start of the data (its issue 260), which no inflater takes. Larger tensors are tables of floats, where literals and runs are enough.
const MOST_MATCHED = 1 << 24;
// Repeats must pay: the literal coder is several times faster and is read faster.
const WORTHWHILE = 0.97;

/**
 * One gzip member (RFC 1952, no name, time 0) of the segments, in pieces. Literal coding or fflate's LZ77, by a sample of the
 * data. The same bytes on every machine, whatever the source's own pieces were.
 */
export function* gzip(
  segments: readonly Segment[],
  level: GzipLevel,
  crc32: Crc32 = ownCrc32,
): Generator<EncodedPiece> {
  if (totalLength(segments) <= MOST_MATCHED && repeats(segments, level)) yield matched(segments, level);
  else yield* literal(segments, crc32);
}

function repeats(segments: readonly Segment[], level: GzipLevel): boolean {
  let matchedSize = 0;
  let literalSize = 0;
  for (const { length, read } of segments) {
    const spots = length <= 2 * SAMPLE ? [0] : [0, (length - SAMPLE) >>> 1];
    const size = length <= 2 * SAMPLE ? length : SAMPLE;
    // Every spot stands for its share of the segment.
    const weight = size === 0 ? 0 : length / (size * spots.length);
    for (const spot of spots) {
      const sample = read(spot, spot + size);
      const literal = literalDeflateSize(sample);
      literalSize += weight * literal;
      // Where repeats are too few to gain what is wanted, they are not searched for.
      const worthTrying = repeatedShare(sample) > 1 - WORTHWHILE;
      matchedSize += weight * (worthTrying ? deflateSync(sample, { level }).length : literal);
    }
  }
  return matchedSize < WORTHWHILE * literalSize;
}

function* literal(segments: readonly Segment[], crc32: Crc32): Generator<EncodedPiece> {
  // Method 8, no flags, time 0, no hint of the method's effort, system "unknown".
  yield { bytes: Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255) };
  const deflater = literalDeflate();
  let crc = 0;
  let length = 0;
  for (const segment of segments) {
    for (let at = 0; at < segment.length; at += PIECE) {
      const bytes = segment.read(at, Math.min(at + PIECE, segment.length));
      crc = crc32(bytes, crc);
      length += bytes.length;
      const coded = deflater.segment(bytes, segment.length > PIECE ? COARSE_STEP : undefined);
      if (coded.length > 0) yield { bytes: coded, tensor: segment.tensor };
    }
  }
  const end = deflater.finish();
  const trailer = new Uint8Array(end.length + 8);
  trailer.set(end);
  const view = new DataView(trailer.buffer);
  view.setUint32(end.length, crc, true);
  view.setUint32(end.length + 4, length >>> 0, true);
  yield { bytes: trailer };
}

function matched(segments: readonly Segment[], level: GzipLevel): EncodedPiece {
  const bytes = new Uint8Array(totalLength(segments));
  let at = 0;
  for (const { length, read } of segments) {
    bytes.set(read(0, length), at);
    at += length;
  }
  return { bytes: gzipSync(bytes, { level, mtime: 0 }) };
}

function totalLength(segments: readonly Segment[]): number {
  return segments.reduce((sum, { length }) => sum + length, 0);
}
