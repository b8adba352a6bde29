import type { ByteSource } from '@prune/core';
import type { Checkpoint, OpenOptions } from './checkpoint.js';
import { floatTensors } from './float-tensors.js';
import { openStagedPytorch } from './open-staged-pytorch.js';

/**
 * Opens a PyTorch checkpoint, a state dict saved by `torch.save` in either format. Its pickle is parsed with an allow-list and never
 * run: any other global is `unsupported` and named. Strided and shared storages are read as contiguous tensors, one at a time.
 * Takes over the source: `close()` closes it, and so does a failed opening. Throws `truncated`, `corrupt`, `unsupported` (also for
 * a model that is quantized already, see {@link openStagedPytorch}), `limit`.
 */
export async function openPytorch(source: ByteSource, options: OpenOptions = {}): Promise<Checkpoint> {
  return floatTensors(await openStagedPytorch(source, options));
}
