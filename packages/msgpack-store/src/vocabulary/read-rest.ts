import { PruneError } from '@prune/core';
import { HEAD_BYTES, readHead } from './vocabulary-head.js';
import type { VocabularyMarks } from './write-entries.js';

/** A JSON text around the entries of its vocabulary, as `cutVocabulary` leaves it. */
export interface VocabularyRest {
  /** Of the whole text. */
  readonly crc32: number;
  readonly before: Uint8Array;
  readonly marks: VocabularyMarks;
  readonly after: Uint8Array;
}

/** Reads what `cutVocabulary` gave. Throws `corrupt` for bytes that are too few. */
export function readRest(bytes: Uint8Array): VocabularyRest {
  const head = bytes.length < HEAD_BYTES ? undefined : readHead(bytes);
  const needed = head === undefined ? HEAD_BYTES : HEAD_BYTES + head.before + head.colon + head.between;
  if (head === undefined || needed > bytes.length) {
    const what = 'bytes of a file without its vocabulary';
    throw new PruneError('corrupt', { what, got: bytes.length, wanted: `at least ${needed}` });
  }
  const colonAt = HEAD_BYTES + head.before;
  const betweenAt = colonAt + head.colon;
  return {
    crc32: head.crc32,
    before: bytes.subarray(HEAD_BYTES, colonAt),
    marks: { colon: bytes.subarray(colonAt, betweenAt), between: bytes.subarray(betweenAt, needed) },
    after: bytes.subarray(needed),
  };
}
