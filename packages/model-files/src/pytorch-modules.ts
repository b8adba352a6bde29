import type { PytorchLayout } from '@prune/checkpoint';
import { type JsonObject, LINEAR_PARTS, type ModelMetadata, packedParamsName, splitPartName } from '@prune/core';
import { moduleMetadata, profileOf } from '@prune/quant';

/** The profile whose versions of modules go with a layout. */
const PROFILE_OF_LAYOUT = { current: 'fbgemm', 'torch-1.5': 'fbgemm-1.5' } as const;

/**
 * torch's `_metadata` of a model's state dict in a layout, from the names of its elementary form: what the model's
 * metadata says, with the versions of the quantized Linears that torch expects of the layout. A profile that these
 * versions do not tell is told by the root, as `moduleMetadata` does.
 */
export function pytorchModules(names: Iterable<string>, metadata: ModelMetadata, layout: PytorchLayout): JsonObject {
  const linears = new Set<string>();
  const parameters: string[] = [];
  for (const name of names) {
    const split = splitPartName(name);
    if (split?.part === LINEAR_PARTS.shape) linears.add(split.module);
    parameters.push(split === undefined ? name : `${split.module}.weight`);
  }
  const told = PROFILE_OF_LAYOUT[layout];
  const made = moduleMetadata(parameters, linears, told);
  const modules = new Map(Object.entries(metadata.modules ?? made));
  for (const linear of linears) {
    for (const module of [linear, packedParamsName(linear)]) modules.set(module, made[module]);
  }
  const { profile: _, ...root } = (modules.get('') ?? {}) as JsonObject;
  const profile = profileOf(metadata);
  modules.set('', { ...(made[''] as JsonObject), ...root, ...(profile !== told && { profile }) });
  return Object.fromEntries(modules);
}
