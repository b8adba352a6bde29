import { type ByteSource, DEFAULT_LIMITS, PruneError } from '@prune/core';
import type { Checkpoint, OpenOptions } from './checkpoint.js';
import { ownSource } from './own-source.js';
import { openLegacy } from './pytorch/open-legacy.js';
import { openZip } from './pytorch/open-zip.js';
import { sniffFormat } from './sniff-format.js';

/**
 * Opens a PyTorch checkpoint, a state dict saved by `torch.save` in either format. Its pickle is parsed with an allow-list and never
 * run: any other global is `unsupported` and named. Strided and shared storages are read as contiguous tensors, one at a time.
 * Takes over the source: `close()` closes it, and so does a failed opening. Throws `truncated`, `corrupt`, `unsupported`, `limit`.
 */
export async function openPytorch(source: ByteSource, options: OpenOptions = {}): Promise<Checkpoint> {
  const { limits = DEFAULT_LIMITS } = options;
  return ownSource(source, options.name, async (bytes) => {
    const format = await sniffFormat(bytes);
    if (format === 'pytorch-zip') return openZip(bytes, limits);
    if (format === 'pytorch-legacy') return openLegacy(bytes, limits);
    throw new PruneError('unsupported', { what: 'not a PyTorch checkpoint', got: format ?? 'unknown bytes' });
  });
}
