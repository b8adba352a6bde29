import { checkReadableMap, type ModelFiles, Pacer } from '@prune/core';
import { type CreateTokenizerOptions, type Tokenizer, tokenizerOf } from './create-tokenizer.js';
import { cutTokenizerJson } from './cut-tokenizer-json.js';
import { tokenizerJson } from './tokenizer-json.js';
import { DEFAULT_TOKENIZER_LIMITS } from './tokenizer-limits.js';

/** What `createTokenizer` looks at. */
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

/**
 * The tokenizer of a stored model from its files (`store.metadata.files`), which are read only now. Errors as
 * `createTokenizer`'s.
 */
export async function loadTokenizer(
  files: ModelFiles | undefined,
  { limits = DEFAULT_TOKENIZER_LIMITS, config = {} }: CreateTokenizerOptions = {},
): Promise<Tokenizer> {
  if (files !== undefined) checkReadableMap('tokenizer', 'files of loadTokenizer', files);
  const there = new Set(files?.keys());
  const read = new Map<string, Uint8Array>();
  // The vocabulary of a stored tokenizer.json may lie apart: then it is neither written as JSON nor parsed.
  const parts = await files?.parts?.('tokenizer.json');
  const json = parts && cutTokenizerJson(parts, limits);
  if (parts !== undefined && json !== undefined) read.set('tokenizer.json', parts.json);
  for (const name of LOOKED_AT) {
    if (!there.has(name) || read.has(name) || (VOCABULARIES.has(name) && read.has('tokenizer.json'))) continue;
    const bytes = await files?.get(name);
    if (bytes !== undefined) read.set(name, bytes);
  }
  const pacer = new Pacer();
  await pacer.pause();
  const complete = tokenizerJson(read, config, limits, json);
  await pacer.pause();
  return tokenizerOf(complete, limits);
}
