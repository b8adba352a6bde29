import { basePrefix, type JsonObject, modelFamily, parameterNames, splitPartName } from '@prune/core';
import { layerCount } from './layer-count.js';

/**
 * What of a model of a known family is not there although nothing is refused for it, and what is not computed, one
 * sentence each: embeddings, which another file may have, and layers past those that config.json says.
 */
export function missingParts(names: Iterable<string>, config: JsonObject | undefined): readonly string[] {
  const family = modelFamily(config);
  if (config === undefined || family === undefined) return [];
  const found = new Set([...names].map((name) => splitPartName(name)?.module ?? name.replace(/\.weight$/, '')));
  const { wordEmbeddings, positionEmbeddings, tokenTypeEmbeddings, embeddingNorm, layer } = parameterNames(
    family,
    basePrefix(found, [family]),
  );
  const notes: string[] = [];
  const embeddings = [wordEmbeddings, positionEmbeddings, tokenTypeEmbeddings, embeddingNorm];
  const missing = embeddings.filter((module) => module !== undefined && !found.has(module));
  if (missing.length > 0) notes.push(`not in the file: ${missing.join(', ')}`);
  const layers = layerCount(config, family);
  if (found.has(layer(layers).query))
    notes.push(`config.json says ${layers} layers: the file has more, which are not computed`);
  return notes;
}
