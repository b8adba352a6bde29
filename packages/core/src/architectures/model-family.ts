import type { JsonObject } from '../byte-sources/parse-json.js';
import type { ModelFamily } from './model-families.js';
import { MODEL_TYPES } from './model-types.js';

/**
 * Returns the family whose modules a model has, from `model_type` of its config.json or else the first of
 * `architectures`; `undefined` when we do not know them.
 */
export function modelFamily(config: JsonObject | undefined): ModelFamily | undefined {
  const type = config?.model_type;
  if (typeof type === 'string') return MODEL_TYPES.get(type)?.family;
  // Configs before transformers 2.4 have no `model_type`: we read the first class. Movement pruning's own classes begin
  // with `Masked`.
  const classes = config?.architectures;
  const first: unknown = Array.isArray(classes) ? classes[0] : undefined;
  if (typeof first !== 'string') return undefined;
  for (const { classPrefix, family } of MODEL_TYPES.values()) {
    if (classPrefix !== undefined && new RegExp(`^(?:Masked)?${classPrefix}(?:Model$|For[A-Z])`).test(first))
      return family;
  }
  return undefined;
}
