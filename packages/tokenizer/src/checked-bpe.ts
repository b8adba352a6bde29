import { checkLimit, type JsonObject, PruneError, shown } from '@prune/core';
import { byteCharacters } from './byte-characters.js';
import { isObject } from './is-object.js';
import type { TokenizerLimits } from './tokenizer-limits.js';

/**
 * The `model` of a byte-level BPE, its merges as pairs. With a token for every byte and for what each merge makes, every text has tokens, and
 * they spell it. Throws `corrupt` where that is not so, `unsupported` for what would make other tokens: some at random, or marks on words,
 * `limit` for too many merges or too long a token.
 */
export function checkedBpe(model: JsonObject, limits: TokenizerLimits): JsonObject {
  for (const name of ['dropout', 'continuing_subword_prefix', 'continuing_subword_suffix', 'end_of_word_suffix']) {
    const value = model[name] ?? '';
    if (value === '' || value === 0) continue;
    throw new PruneError('unsupported', { where: 'tokenizer', what: `${name} of byte-level BPE`, got: shown(value) });
  }
  const { vocab, merges } = model;
  const known = (token: string) => isObject(vocab) && Object.hasOwn(vocab, token);
  const byte = byteCharacters().findIndex((character) => !known(character));
  if (byte !== -1) {
    throw new PruneError('corrupt', { where: 'tokenizer', what: 'a byte without a token', got: byte });
  }
  if (!Array.isArray(merges)) throw new PruneError('corrupt', { where: 'tokenizer', what: 'merges are not a list' });
  checkLimit('merges', merges.length, limits.vocabulary, { where: 'tokenizer' });
  for (const token of Object.keys(vocab as JsonObject)) {
    checkLimit('characters of a token', token.length, limits.tokenLength, { where: 'tokenizer' });
  }
  const pairs = (merges as readonly unknown[]).map((merge) => {
    const pair: unknown = typeof merge === 'string' ? merge.split(' ') : merge;
    if (isPair(pair) && [...pair, pair.join('')].every(known)) return pair;
    const wanted = 'two tokens that make a third';
    throw new PruneError('corrupt', { where: 'tokenizer', what: 'merge', got: shown(merge), wanted });
  });
  return { ...model, merges: pairs };
}

function isPair(value: unknown): value is [string, string] {
  return Array.isArray(value) && value.length === 2 && value.every((part) => typeof part === 'string');
}
