import { type ByteSource, randomAccess } from '@prune/core';
import type { OpenOptions } from './checkpoint.js';
import { notTensors } from './not-tensors.js';
import { openSafetensors } from './open-safetensors.js';
import { openStagedPytorch } from './open-staged-pytorch.js';
import { ownSource } from './own-source.js';
import { sniffFormat } from './sniff-format.js';
import type { StagedCheckpoint } from './staged-checkpoint.js';

/**
 * Opens a file of tensors at the stage that its model is at; the format is what its first bytes say. Takes over the
 * source.
 */
export async function openStagedFile(source: ByteSource, options: OpenOptions = {}): Promise<StagedCheckpoint> {
  const bytes = randomAccess(source, options.name);
  return ownSource(bytes, undefined, async () => {
    const format = await sniffFormat(bytes);
    if (format === 'pytorch-zip' || format === 'pytorch-legacy') return openStagedPytorch(bytes, options);
    if (format === 'safetensors') {
      const tensors = await openSafetensors(bytes, options);
      return { stage: 'float', notes: [], tensors, close: () => tensors.close() };
    }
    const got = format === undefined ? `${bytes.size} unknown bytes` : format;
    throw await notTensors(bytes, 'not a file of tensors', got, 'safetensors or a PyTorch checkpoint');
  });
}
