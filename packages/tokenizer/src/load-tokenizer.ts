import { checkReadableMap, type ReadableMap } from '@prune/core';
import { type CreateTokenizerOptions, createTokenizer, type Tokenizer } from './create-tokenizer.js';

/** What {@link createTokenizer} looks at. */
const LOOKED_AT = [
  'tokenizer.json',
  'vocab.txt',
  'vocab.json',
  'merges.txt',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
];

/** Not needed beside a tokenizer.json, which has the vocabulary already and is twice as large. */
const VOCABULARIES: ReadonlySet<string> = new Set(['vocab.txt', 'vocab.json', 'merges.txt']);

/** The tokenizer of a stored model from its files (`store.metadata.files`), which are read only now. Errors as {@link createTokenizer}'s. */
export async function loadTokenizer(
  files: ReadableMap<Uint8Array> | undefined,
  options: CreateTokenizerOptions = {},
): Promise<Tokenizer> {
  if (files !== undefined) checkReadableMap('tokenizer', 'files of loadTokenizer', files);
  const there = new Set(files?.keys());
  const read = new Map<string, Uint8Array>();
  for (const name of LOOKED_AT) {
    if (!there.has(name) || (VOCABULARIES.has(name) && read.has('tokenizer.json'))) continue;
    const bytes = await files?.get(name);
    if (bytes !== undefined) read.set(name, bytes);
  }
  return createTokenizer(read, options);
}
