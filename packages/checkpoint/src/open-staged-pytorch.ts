import { type ByteSource, DEFAULT_LIMITS } from '@prune/core';
import type { OpenOptions } from './checkpoint.js';
import { notTensors } from './not-tensors.js';
import { ownSource } from './own-source.js';
import { openLegacy } from './pytorch/open-legacy.js';
import { openZip } from './pytorch/open-zip.js';
import { stagedModel } from './pytorch/staged-model.js';
import { sniffFormat } from './sniff-format.js';
import type { StagedCheckpoint } from './staged-checkpoint.js';

/**
 * Opens what `torch.save` wrote, in either format, at the stage that its model is at: floats; a model that PyTorch
 * quantized (`quantize_dynamic(model).state_dict()`, the layouts of torch 1.4, 1.5, and 1.6 and later); or the
 * notebook's elementary form, with its numpy arrays. Integers and scales are those of the file.
 * Otherwise as `openPytorch`. Linears of 4 bits (`torch.quint4x2`) are `unsupported`.
 */
export async function openStagedPytorch(source: ByteSource, options: OpenOptions = {}): Promise<StagedCheckpoint> {
  const { limits = DEFAULT_LIMITS, stateDict } = options;
  return ownSource(source, options.name, async (bytes) => {
    const format = await sniffFormat(bytes);
    if (format === 'pytorch-zip') return stagedModel(await openZip(bytes, limits, stateDict), limits);
    if (format === 'pytorch-legacy') return stagedModel(await openLegacy(bytes, limits, stateDict), limits);
    throw await notTensors(bytes, 'not a PyTorch checkpoint', format ?? 'unknown bytes');
  });
}
