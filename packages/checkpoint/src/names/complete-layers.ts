import { MODEL_FAMILIES, type ModelFamily, parameterNames } from '@prune/core';

/**
 * Whether modules of a base model, without its prefix, are those of every layer from 0 to the last: all that a model of
 * one of the families needs, but for its embeddings.
 */
export function completeLayers(
  modules: ReadonlySet<string>,
  families: readonly ModelFamily[] = MODEL_FAMILIES,
): boolean {
  return families.some((family) => {
    const { layer } = parameterNames(family, '');
    const modulesOf = (index: number) => Object.values(layer(index));
    const has = (module: string) => modules.has(module);
    let layers = 0;
    while (modulesOf(layers).every(has)) layers++;
    return layers > 0 && !modulesOf(layers).some(has);
  });
}
