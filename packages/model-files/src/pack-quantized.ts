import type { ElementaryStateDict, ModelMetadata, QuantizationProfile, QuantizedStateDict } from '@prune/core';
import { decompose, recomposeSparse } from '@prune/csr';
import { profileOf } from '@prune/quant';
import { checkPackable } from './check-packable.js';
import type { PackedCheckpoint } from './pack-checkpoint.js';

/** A model that is quantized already. What `openStagedCheckpoint` of `@prune/checkpoint/node` opens is one. */
export type PackableQuantized = { readonly metadata: ModelMetadata /** For messages. */; readonly name?: string } & (
  | { readonly stage: 'quantized'; readonly quantized: QuantizedStateDict }
  | { readonly stage: 'elementary'; readonly elementary: ElementaryStateDict }
);

/** Options of {@link packQuantized}. */
export interface PackQuantizedOptions {
  /** How the model computes. Default: what its metadata says, see `profileOf` of `@prune/quant`. */
  readonly profile?: QuantizationProfile;
}

/**
 * quantized -> elementary, or elementary, checked module by module. Nothing is quantized again: every integer and scale
 * is kept. Each step is lazy, so that two matrices at most are in memory. `onStep` hears what is read. Throws what
 * `profileOf` throws, `missing` and `unsupported` as `packCheckpoint` does; `entries` throws what `recompose` of
 * `@prune/csr` does.
 */
export function packQuantized(
  model: PackableQuantized,
  { profile }: PackQuantizedOptions = {},
  onStep: (name: string) => void = () => {},
): PackedCheckpoint {
  const { metadata } = model;
  const modules = model.stage === 'quantized' ? model.quantized : recomposeSparse(model.elementary);
  const names = [...modules.keys()];
  checkPackable(names, metadata, model.name);
  return {
    entries: decompose({
      keys: () => names,
      get(name) {
        onStep(name);
        return modules.get(name);
      },
    }),
    metadata: { ...metadata, profile: profileOf(metadata, profile) },
    steps: names.length,
    architectureKnown: true,
  };
}
