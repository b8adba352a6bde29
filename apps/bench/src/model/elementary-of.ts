import { openCheckpoint } from '@prune/checkpoint/node';
import type { Elementary, ModelMetadata } from '@prune/core';
import { packCheckpoint } from '@prune/model-files';
import { EXCLUDED, type Scope } from '../sections/sides/scope.js';

/** A checkpoint's elementary form, whole in memory. */
export interface ElementaryModel {
  readonly elementary: ReadonlyMap<string, Elementary>;
  readonly metadata: ModelMetadata;
  /** Bytes of the float32 parameters that it stands for. */
  readonly denseBytes: number;
}

/** Quantizes a model folder as `prune pack` does and keeps everything. */
export async function elementaryOf(folder: string, scope: Scope): Promise<ElementaryModel> {
  const checkpoint = await openCheckpoint(folder);
  try {
    const { entries, metadata } = packCheckpoint(checkpoint, { exclude: EXCLUDED[scope] });
    const elementary = new Map<string, Elementary>();
    for await (const [name, value] of entries) elementary.set(name, value);
    let denseBytes = 0;
    for (const name of checkpoint.tensors.keys()) {
      if (EXCLUDED[scope].some((part) => `.${name}.`.includes(`.${part}.`))) continue;
      denseBytes += 4 * checkpoint.tensors.info(name)!.shape.reduce((a, b) => a * b, 1);
    }
    return { elementary, metadata, denseBytes };
  } finally {
    await checkpoint.close();
  }
}
