import type { Module, ModuleKind } from './family-modules.js';
import { FAMILY_MODULES, type ModelFamily } from './model-families.js';

/**
 * Returns a function that tells what a module of a family is from its whole name, with or without the prefix of the
 * base model. It knows every Linear and embedding table of the family, including those that inference does not read,
 * and answers `undefined` for any other name.
 */
export function moduleKinds(family: ModelFamily): (module: string) => ModuleKind | undefined {
  const { baseModelPrefix, embeddings, layers, layer, crossAttention = {}, pooler, heads } = FAMILY_MODULES[family];
  const ofBase = kindsByName([...Object.values<Module>(embeddings), ...(pooler === undefined ? [] : [pooler])]);
  const ofLayer = kindsByName([...Object.values<Module>(layer), ...Object.values<Module>(crossAttention)]);
  const ofHeads = kindsByName(Object.values(heads).flatMap((head) => Object.values<Module>(head)));
  const prefix = `${baseModelPrefix}.`;
  const inLayer = new RegExp(`^${layers.replaceAll('.', '\\.')}\\.\\d+\\.(.+)$`);
  return (module) => {
    const name = module.startsWith(prefix) ? module.slice(prefix.length) : module;
    const withinLayer = inLayer.exec(name)?.[1];
    return withinLayer === undefined ? (ofBase.get(name) ?? ofHeads.get(module)) : ofLayer.get(withinLayer);
  };
}

function kindsByName(modules: readonly Module[]): ReadonlyMap<string, ModuleKind> {
  return new Map(modules.map(({ name, kind }) => [name, kind]));
}
