import { checkComplete } from '@prune/checkpoint';
import { checkComputation, type ModelMetadata, modelFamily } from '@prune/core';

/**
 * Checks what would be lost without a word: that the layers of config.json are there, and that it asks for no
 * computation that we do not have. A model of an architecture that we do not know passes. Throws `missing`,
 * `unsupported`.
 */
export function checkPackable(names: Iterable<string>, { config }: ModelMetadata, where?: string): void {
  if (config !== undefined && modelFamily(config) !== undefined) checkComputation(config, where ?? 'config.json');
  checkComplete(names, config, where);
}
