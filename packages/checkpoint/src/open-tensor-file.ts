import { type ByteSource, PruneError, randomAccess } from '@prune/core';
import type { Checkpoint, OpenOptions } from './checkpoint.js';
import { openPytorch } from './open-pytorch.js';
import { openSafetensors } from './open-safetensors.js';
import { ownSource } from './own-source.js';
import { sniffFormat } from './sniff-format.js';

/** Opens a file of tensors, safetensors or either PyTorch format, whichever its first bytes say. Takes over the source. */
export async function openTensorFile(source: ByteSource, options: OpenOptions = {}): Promise<Checkpoint> {
  const bytes = randomAccess(source, options.name);
  return ownSource(bytes, undefined, async () => {
    const format = await sniffFormat(bytes);
    if (format === 'safetensors') return openSafetensors(bytes, options);
    if (format === 'pytorch-zip' || format === 'pytorch-legacy') return openPytorch(bytes, options);
    throw new PruneError('unsupported', {
      what: 'not a file of tensors',
      got: format === undefined ? `${bytes.size} unknown bytes` : format,
      wanted: 'safetensors or a PyTorch checkpoint',
    });
  });
}
