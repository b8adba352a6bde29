import { withEmbeddingsOf } from '@prune/checkpoint';
import type { OpenCheckpoint } from '@prune/checkpoint/node';
import { completedMetadata } from './completed-metadata.js';

/** The checkpoint with the embeddings of another one, and its config and tokenizer, where it has none itself. */
export function completedCheckpoint(
  { tensors, metadata }: OpenCheckpoint,
  other: OpenCheckpoint,
): Pick<OpenCheckpoint, 'tensors' | 'metadata'> {
  return {
    tensors: withEmbeddingsOf(tensors, other.tensors),
    metadata: completedMetadata(metadata, other.metadata),
  };
}
