import { basePrefix, type JsonObject, modelFamily, PruneError, parameterNames, splitPartName } from '@prune/core';
import { layerCount } from './layer-count.js';
import { listed } from './names/listed.js';

/**
 * Checks that a model of a known family has every module of the layers that its config.json says, under the names of
 * transformers. `names` are those of parameters (float), of modules, or of the elementary form. Throws `missing`,
 * naming some of what was found.
 */
export function checkComplete(names: Iterable<string>, config: JsonObject | undefined, where?: string): void {
  const family = modelFamily(config);
  if (config === undefined || family === undefined) return;
  const found = [...names];
  const modules = new Set(found.map((name) => splitPartName(name)?.module ?? name.replace(/\.weight$/, '')));
  const { layer } = parameterNames(family, basePrefix(found, [family]));
  const layers = layerCount(config, family);
  for (let index = 0; index < layers; index++) {
    const missing = Object.values(layer(index)).filter((module) => !modules.has(module));
    if (missing.length === 0) continue;
    throw new PruneError('missing', {
      where,
      what: `not in the model, which has ${layers} layers by its config.json`,
      got: found.length === 0 ? 'no tensors' : `${found.length} names: ${listed(found)}`,
      wanted: listed(missing),
      tensor: missing[0],
    });
  }
}
