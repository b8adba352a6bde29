import { DEFAULT_LIMITS } from '../limits/limits.js';
import type { Module } from './family-modules.js';
import { headModules } from './head-modules.js';
import { FAMILY_MODULES, MODEL_FAMILIES, type ModelFamily } from './model-families.js';

/** A name that has a module of a family in it. */
export interface FoundModule {
  /** Whether the module belongs to the base model or to a head. */
  readonly part: 'base' | 'head';
  /** What stands before the module, with its dot: `model.bert.`. */
  readonly prefix: string;
  /** The module as a model without a prefix has it: `encoder.layer.3.output.dense`; of a head, its first component. */
  readonly module: string;
  /** What of the module: `weight`, `_packed_params.dtype`; empty for the name of the module itself. */
  readonly rest: string;
}

/**
 * Returns a function that finds a module of the families in a name, whatever prefix the name has, and answers
 * `undefined` for every other name.
 */
export function moduleFinder(
  families: readonly ModelFamily[] = MODEL_FAMILIES,
): (name: string) => FoundModule | undefined {
  const base = families.flatMap((family) => {
    const { embeddings, layers, layer, crossAttention = {}, pooler } = FAMILY_MODULES[family];
    const ofBase = [...Object.values<Module>(embeddings), ...(pooler === undefined ? [] : [pooler])];
    const ofLayer = [...Object.values<Module>(layer), ...Object.values<Module>(crossAttention)];
    return [
      ...ofBase.map(({ name }) => escaped(name)),
      `${escaped(layers)}\\.\\d{1,9}\\.(?:${ofLayer.map(({ name }) => escaped(name)).join('|')})`,
    ];
  });
  const heads = families.flatMap((family) => [...headModules(family)].map(escaped));
  // The longest prefix for a module of the base model: nothing that may follow it looks like such a module. The
  // shortest for a head, whose first component (`classifier`) other modules may have too.
  const inBase = new RegExp(`^((?:[^]*\\.)?)(${[...new Set(base)].join('|')})(?:\\.([^]+))?$`);
  const inHead = new RegExp(`^((?:[^]*?\\.)??)(${[...new Set(heads)].join('|')})(?:\\.([^]+))?$`);
  return (name) => {
    // No module has such a name, and the patterns would search all of it.
    if (name.length > DEFAULT_LIMITS.nameLength) return undefined;
    const found = inBase.exec(name);
    const [, prefix, module, rest = ''] = found ?? inHead.exec(name) ?? [];
    return module === undefined ? undefined : { part: found === null ? 'head' : 'base', prefix, module, rest };
  };
}

function escaped(name: string): string {
  return name.replaceAll('.', '\\.');
}
