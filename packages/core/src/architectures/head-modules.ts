import type { Module } from './family-modules.js';
import { FAMILY_MODULES, type ModelFamily } from './model-families.js';

/**
 * Returns the first components of the names of a family's heads (`qa_outputs`, `cls`). A base model has none of them.
 */
export function headModules(family: ModelFamily): ReadonlySet<string> {
  const modules = Object.values(FAMILY_MODULES[family].heads).flatMap((head) => Object.values<Module>(head));
  return new Set(modules.map(({ name }) => name.split('.')[0]));
}
