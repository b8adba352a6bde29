import { withEmbeddingsOf } from '@prune/checkpoint';
import type { OpenCheckpoint } from '@prune/checkpoint/node';
import { completedMetadata } from './completed-metadata.js';

/** The checkpoint with the embeddings of another one, and its config and tokenizer, where it has none itself. */
export function completedCheckpoint(
  { name, tensors, metadata }: OpenCheckpoint,
  other: OpenCheckpoint,
): Pick<OpenCheckpoint, 'name' | 'tensors' | 'metadata'> {
  return {
    name,
    tensors: withEmbeddingsOf(tensors, other.tensors),
    metadata: completedMetadata(metadata, other.metadata),
  };
}
