import { missingEmbeddings } from '@prune/core';
import type { Checkpoint } from './checkpoint.js';
import { withMoreTensors } from './with-more-tensors.js';

/**
 * A checkpoint with the embeddings of another one where it lacks its own, under the names that it would give them.
 * Whether they fit its config is checked when the model is loaded. Whoever opened the other one closes it.
 */
export function withEmbeddingsOf(checkpoint: Checkpoint, other: Checkpoint): Checkpoint {
  const missing = missingEmbeddings(checkpoint.keys(), other.keys());
  return withMoreTensors(checkpoint, new Map([...missing].map(([own, name]) => [own, { from: other, name }])));
}
