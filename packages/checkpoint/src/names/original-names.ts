import { type JsonObject, PruneError } from '@prune/core';
import { type ModelNamesOptions, modelNames } from './model-names.js';
import { transformersRule } from './transformers-rule.js';

/** The names of a model in a file. */
export interface OriginalNames {
  /** The model's names, in the file's order, and the file's name of each. */
  readonly originalOf: ReadonlyMap<string, string>;
  /** The model's name for any name of the file; `undefined` for what is left out. */
  rename(name: string): string | undefined;
  readonly notes: readonly string[];
}

/**
 * The names of a model as transformers has them. Throws what `modelNames` throws, `limit` for an architecture's name of
 * more than 256 characters, `mismatch` when two tensors get one name, or a task's head comes without the prefix.
 */
export function originalNames(
  names: readonly string[],
  config: JsonObject | undefined,
  options: ModelNamesOptions,
): OriginalNames {
  const { rename: ofModel, notes } = modelNames(names, config, options);
  const plain = names.map(ofModel).filter((name) => name !== undefined);
  const rule = transformersRule(plain, config, options.where);
  const rename = (name: string) => {
    const found = ofModel(name);
    return found === undefined ? undefined : rule(found);
  };
  const originalOf = new Map<string, string>();
  for (const original of names) {
    const name = rename(original);
    if (name === undefined) continue;
    const other = originalOf.get(name);
    if (other !== undefined) {
      throw new PruneError('mismatch', {
        where: options.where,
        what: 'two tensors load under one name',
        got: `"${other}" and "${original}"`,
        tensor: name,
      });
    }
    originalOf.set(name, original);
  }
  return { originalOf, rename, notes };
}
