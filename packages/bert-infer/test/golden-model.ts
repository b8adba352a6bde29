import { readFileSync } from 'node:fs';
import type { Elementary, JsonObject, ModelMetadata } from '@prune/core';
import { goldenPath, readNpz } from '@prune/fixtures';

/** A model in memory, as a store would give it. */
export type GoldenModel = Map<string, Elementary> & { readonly metadata: ModelMetadata };

/** A golden model's elementary form with its config: what a store would give. `files` are its tokenizer's. */
export function goldenModel(
  name: 'tiny' | 'narrow',
  { files }: { files?: ReadonlyMap<string, Uint8Array> } = {},
): GoldenModel {
  return Object.assign(readNpz(goldenPath(`${name}/elementary.npz`)), {
    metadata: { config: goldenConfig(name), files },
  });
}

/** A golden model's config.json. */
export function goldenConfig(name: 'tiny' | 'narrow'): JsonObject {
  return JSON.parse(readFileSync(goldenPath(`${name}/config.json`), 'utf8'));
}

/** A vocabulary of `size` words for a model that has none of its own: the special tokens, then the letters, then made-up words. */
export function madeUpVocabulary(size: number): ReadonlyMap<string, Uint8Array> {
  const special = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', '.', '?'];
  const letters = Array.from({ length: 26 }, (_, i) => String.fromCharCode(97 + i));
  const rest = Array.from({ length: size - special.length - letters.length }, (_, i) => `word${i}`);
  return new Map([['vocab.txt', new TextEncoder().encode([...special, ...letters, ...rest].join('\n'))]]);
}
