import type { ByteSource } from '@prune/core';
import type { Checkpoint, OpenOptions } from './checkpoint.js';
import { floatTensors } from './float-tensors.js';
import { openStagedFile } from './open-staged-file.js';

/**
 * Opens a file of float tensors, safetensors or either PyTorch format, whichever its first bytes say. Takes over the
 * source. Throws `unsupported` for a model that is quantized already: {@link openStagedFile} opens it.
 */
export async function openTensorFile(source: ByteSource, options: OpenOptions = {}): Promise<Checkpoint> {
  return floatTensors(await openStagedFile(source, options));
}
