import { type Crc32, PruneError } from '@prune/core';
import { readRest } from './read-rest.js';
import { writeEntries } from './write-entries.js';

/** Where a file's vocabulary comes from, and what the file must be with it. */
export interface JoinOptions {
  /** Bytes of the file, as the manifest has them. */
  readonly length: number;
  /** The name of the file of the lines, for messages. */
  readonly vocabulary: string;
  readonly crc32: Crc32;
}

/**
 * The file that `cutVocabulary` took apart, from what that gave and the lines of the vocabulary. Throws `corrupt` for
 * bytes that are not that, and for lines that make another file; no memory is taken before the length fits.
 */
export function joinVocabulary(
  rest: Uint8Array,
  lines: Uint8Array,
  { length, vocabulary, crc32 }: JoinOptions,
): Uint8Array {
  const { before, marks, after, crc32: wanted } = readRest(rest);
  const around = before.length + after.length;
  const whole = around + writeEntries(lines, marks, new Uint8Array(0), 0, length);
  if (whole !== length) {
    const what = `bytes of the file with the vocabulary of ${vocabulary}`;
    throw new PruneError('corrupt', { what, got: whole, wanted: length });
  }
  const out = new Uint8Array(length);
  out.set(before);
  writeEntries(lines, marks, out, before.length);
  out.set(after, length - after.length);
  const crc = crc32(out);
  if (crc !== wanted) {
    const what = `CRC-32 of the file with the vocabulary of ${vocabulary}`;
    throw new PruneError('corrupt', { what, got: crc, wanted });
  }
  return out;
}
