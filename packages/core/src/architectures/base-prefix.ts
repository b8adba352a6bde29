import { FAMILY_MODULES, MODEL_FAMILIES, type ModelFamily } from './model-families.js';

/**
 * Returns the prefix of the base model, with its dot (`bert.`), that the first parameter name with such a prefix begins
 * with. It is empty for a model that was saved without a head. Looks only for the prefixes of `families`.
 */
export function basePrefix(names: Iterable<string>, families: readonly ModelFamily[] = MODEL_FAMILIES): string {
  const prefixes = families.map((family) => `${FAMILY_MODULES[family].baseModelPrefix}.`);
  for (const name of names) {
    const found = prefixes.find((prefix) => name.startsWith(prefix));
    if (found !== undefined) return found;
  }
  return '';
}
