import { PruneError } from '@prune/core';
import type { Checkpoint } from './checkpoint.js';
import type { StagedCheckpoint } from './staged-checkpoint.js';

/** The tensors of a checkpoint in floats. Closes any other, and throws `unsupported`. */
export async function floatTensors(checkpoint: StagedCheckpoint): Promise<Checkpoint> {
  if (checkpoint.stage === 'float') return checkpoint.tensors;
  await checkpoint.close();
  throw quantizedAlready(checkpoint.stage, checkpoint.name);
}

/** The error for a model that is quantized already, where floats are wanted. */
export function quantizedAlready(stage: Exclude<StagedCheckpoint['stage'], 'float'>, where: string): PruneError {
  return new PruneError('unsupported', {
    where,
    what: 'the model is quantized already',
    got: stage === 'quantized' ? 'a quantized state dict' : "the notebook's elementary form",
    wanted: 'a checkpoint of floats',
  });
}
