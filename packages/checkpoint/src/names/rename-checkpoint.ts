import type { JsonObject } from '@prune/core';
import type { Checkpoint } from '../checkpoint.js';
import { originalNames } from './original-names.js';

/** A checkpoint under the names of `originalNames`, and what was done to them. Throws what that throws. */
export function renameCheckpoint(
  checkpoint: Checkpoint,
  config: JsonObject | undefined,
  choice?: string,
): { readonly tensors: Checkpoint; readonly notes: readonly string[] } {
  const { originalOf, notes } = originalNames([...checkpoint.keys()], config, { where: checkpoint.name, choice });
  const tensors = {
    name: checkpoint.name,
    format: checkpoint.format,
    keys: () => originalOf.keys(),
    info: (name) => checkpoint.info(originalOf.get(name) ?? ''),
    get: async (name) => {
      const original = originalOf.get(name);
      return original === undefined ? undefined : checkpoint.get(original);
    },
    pieces: (name) => checkpoint.pieces(originalOf.get(name) ?? ''),
    close: () => checkpoint.close(),
  } satisfies Required<Checkpoint>;
  return { tensors, notes };
}
