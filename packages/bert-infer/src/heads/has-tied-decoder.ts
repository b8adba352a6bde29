import type { ParameterNames } from '@prune/core';
import type { ModuleReader } from '../weights/read-modules.js';

/** Whether the model has a masked LM head whose decoder is the word table. */
export function hasTiedDecoder(modules: ModuleReader, { maskedLanguageModel: names }: ParameterNames): boolean {
  return modules.hasLinear(names.dense) && !modules.hasLinear(names.decoder);
}
