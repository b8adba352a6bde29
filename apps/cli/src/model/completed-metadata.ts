import type { ModelMetadata } from '@prune/core';

/** A model's metadata, with the config and the tokenizer of another model where it has none. */
export function completedMetadata(own: ModelMetadata, other: ModelMetadata | undefined): ModelMetadata {
  return {
    ...own,
    config: own.config ?? other?.config,
    files: hasTokenizer(own) ? own.files : (other?.files ?? own.files),
  };
}

function hasTokenizer({ files }: ModelMetadata): boolean {
  return [...(files?.keys() ?? [])].some((name) => ['vocab.txt', 'vocab.json', 'tokenizer.json'].includes(name));
}
