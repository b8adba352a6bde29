import type { ReadableMap } from '@prune/core';
import { type CreateTokenizerOptions, createTokenizer, type Tokenizer } from './create-tokenizer.js';

/** What {@link createTokenizer} looks at. */
const LOOKED_AT = ['tokenizer.json', 'vocab.txt', 'vocab.json', 'merges.txt', 'tokenizer_config.json'];

/** The tokenizer of a stored model from its files (`store.metadata.files`), which are read only now. Errors as {@link createTokenizer}'s. */
export async function loadTokenizer(
  files: ReadableMap<Uint8Array> | undefined,
  options: CreateTokenizerOptions = {},
): Promise<Tokenizer> {
  const there = new Set(files?.keys());
  const read = new Map<string, Uint8Array>();
  for (const name of LOOKED_AT) {
    // The vocabulary is in tokenizer.json already, and half as large.
    if (!there.has(name) || (name !== 'tokenizer_config.json' && read.has('tokenizer.json'))) continue;
    const bytes = await files?.get(name);
    if (bytes !== undefined) read.set(name, bytes);
  }
  return createTokenizer(read, options);
}
