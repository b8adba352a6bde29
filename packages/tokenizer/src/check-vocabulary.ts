import { checkLimit, type JsonObject, PruneError, shown } from '@prune/core';
import { isObject } from './is-object.js';
import type { TokenizerLimits } from './tokenizer-limits.js';

/**
 * Checks that ids are distinct integers without large holes, because the library makes an array of them; returns one
 * past the largest. Throws `corrupt`, or `limit` for too many.
 */
export function checkVocabulary({ vocab }: JsonObject, limits: TokenizerLimits): number {
  if (!isObject(vocab)) throw new PruneError('corrupt', { where: 'tokenizer', what: 'vocabulary is not an object' });
  // The values alone and a byte an id: entries and a Set take 30 ms more for BERT's 30,522 words.
  const ids = Object.values(vocab);
  checkLimit('entries of the vocabulary', ids.length, limits.vocabulary, { where: 'tokenizer' });
  const seen = new Uint8Array(2 * ids.length + 1024);
  let size = 0;
  for (const [at, id] of ids.entries()) {
    if (typeof id !== 'number' || !Number.isInteger(id) || !(id >= 0 && id < seen.length) || seen[id] === 1) {
      throw new PruneError('corrupt', {
        where: 'tokenizer',
        what: `id of token ${shown(Object.keys(vocab)[at])}`,
        got: shown(id),
        wanted: 'integers, each once, without large holes',
      });
    }
    seen[id] = 1;
    size = Math.max(size, id + 1);
  }
  return size;
}
