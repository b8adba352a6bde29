import { checkLimit, PruneError, shown } from '@prune/core';
import { isObject } from './is-object.js';
import type { TokenizerLimits } from './tokenizer-limits.js';

/** The tokens of a model, without those that are added to it. */
export interface Vocabulary {
  /** One past the largest id. */
  readonly size: number;
  /** Characters of the longest token. */
  readonly longest: number;
  id(token: string): number | undefined;
  /** `undefined` for an id in a hole. */
  token(id: number): string | undefined;
}

/**
 * The vocabulary of a tokenizer.json, an object or a Map. Checks that ids are distinct integers without large holes,
 * because arrays are made of them. Throws `corrupt`, or `limit` for too many.
 */
export function vocabularyOf(vocab: unknown, limits: TokenizerLimits): Vocabulary {
  if (!isObject(vocab)) throw new PruneError('corrupt', { where: 'tokenizer', what: 'vocabulary is not an object' });
  // Keys and lookups: the entries of an object, and objects in place of Maps, take 100 ms more for BERT's 30,522 words.
  const names = vocab instanceof Map ? [...vocab.keys()] : Object.keys(vocab);
  checkLimit('entries of the vocabulary', names.length, limits.vocabulary, { where: 'tokenizer' });
  const most = 2 * names.length + 1024;
  const ids = new Map<string, number>();
  const tokens: (string | undefined)[] = [];
  let longest = 0;
  for (const name of names) {
    const id: unknown = vocab instanceof Map ? vocab.get(name) : vocab[name];
    if (typeof id !== 'number' || !Number.isInteger(id) || !(id >= 0 && id < most) || tokens[id] !== undefined) {
      throw new PruneError('corrupt', {
        where: 'tokenizer',
        what: `id of token ${shown(name)}`,
        got: shown(id),
        wanted: 'integers, each once, without large holes',
      });
    }
    ids.set(name, id);
    tokens[id] = name;
    longest = Math.max(longest, name.length);
  }
  return { size: tokens.length, longest, id: (token) => ids.get(token), token: (id) => tokens[id] };
}
