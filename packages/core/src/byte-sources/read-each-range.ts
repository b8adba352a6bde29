import { checkAborted } from '../errors/prune-error.js';

/** Bytes of a source: those from `start` on, up to and without `end`. */
export type ByteRange = readonly [start: number, end: number];

/** Bytes between two ranges that are cheaper to read along than to leave out: a page of the system's cache. */
const LARGEST_GAP = 2 ** 12;
/** Bytes of ranges that are read together, so that what one range keeps in memory stays small. */
const LARGEST_READ = 2 ** 20;

/** `readRanges` of a source that has `read` alone: reads one range after another, neighbours together. */
export async function readEachRange(
  source: { read(offset: number, length: number): Promise<Uint8Array> },
  ranges: readonly ByteRange[],
  signal?: AbortSignal,
): Promise<Uint8Array[]> {
  const parts: Uint8Array[] = [];
  while (parts.length < ranges.length) {
    checkAborted(signal);
    const [start, end, count] = neighbours(ranges, parts.length);
    const bytes = await source.read(start, end - start);
    for (const [from, to] of ranges.slice(parts.length, parts.length + count)) {
      parts.push(bytes.subarray(from - start, to - start));
    }
  }
  return parts;
}

/** The bytes to read for the range `first` and for as many after it as one read gives. */
function neighbours(ranges: readonly ByteRange[], first: number): [start: number, end: number, count: number] {
  let [start, end] = ranges[first];
  let count = 1;
  for (const [from, to] of ranges.slice(first + 1, first + 1 + LARGEST_READ / LARGEST_GAP)) {
    if (from < end || from - end > LARGEST_GAP || to - start > LARGEST_READ) break;
    end = to;
    count++;
  }
  return [start, end, count];
}
