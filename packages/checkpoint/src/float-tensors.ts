import { PruneError } from '@prune/core';
import type { Checkpoint } from './checkpoint.js';
import type { StagedCheckpoint } from './staged-checkpoint.js';

/** The tensors of a checkpoint in floats. Closes any other, and throws `unsupported`. */
export async function floatTensors(checkpoint: StagedCheckpoint): Promise<Checkpoint> {
  if (checkpoint.stage === 'float') return checkpoint.tensors;
  await checkpoint.close();
  throw new PruneError('unsupported', {
    where: checkpoint.name,
    what: 'the model is quantized already',
    got: checkpoint.stage === 'quantized' ? "PyTorch's quantized state dict" : 'the elementary form',
    wanted: 'a checkpoint of floats',
  });
}
