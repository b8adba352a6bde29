import { checkLimit, PruneError } from '@prune/core';
import type { TokenizerLimits } from './tokenizer-limits.js';

/** The lines of a vocabulary in UTF-8. Throws `corrupt` with the file's name, or `limit` for too many. */
export function vocabularyLines(bytes: Uint8Array | undefined, where: string, limits: TokenizerLimits): string[] {
  const lines = decode(bytes, where).split('\n', limits.vocabulary + 2);
  if (lines.at(-1) === '') lines.pop();
  checkLimit('lines', lines.length, limits.vocabulary, { where });
  return lines;
}

function decode(bytes: Uint8Array | undefined, where: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new PruneError('corrupt', { where, what: 'not UTF-8', cause });
  }
}
