import { checkLimit, headModules, type JsonObject, MODEL_TYPES, PruneError } from '@prune/core';

/** Buffers of the embeddings that old versions saved. Their values follow from their size. */
const BUFFERS = /(?:^|\.)(?:embeddings\.)?position_ids$|(?:^|\.)embeddings\.token_type_ids$/;

const LONGEST_CLASS_NAME = 256;
// Modules that a base model does not have. transformers calls a checkpoint corrupted that has them but not the prefix.
// We look for BERT's heads whatever the model_type is: `lm_head` of RoBERTa without the prefix is renamed, not refused.
const HEADS = headModules('bert');

/**
 * How transformers' `from_pretrained` renames: LayerNorm's old names, and the prefix of the base model, which is added
 * for a task and taken away from a model that is nothing but the base model. A buffer becomes `undefined`.
 */
export function transformersRule(
  names: readonly string[],
  config: JsonObject | undefined,
  where: string,
): (name: string) => string | undefined {
  const withPrefix = prefixRule(names, config, where);
  return (name) => {
    if (BUFFERS.test(name)) return undefined;
    return withPrefix(
      name.replace(/LayerNorm\.gamma$/, 'LayerNorm.weight').replace(/LayerNorm\.beta$/, 'LayerNorm.bias'),
    );
  };
}

function prefixRule(names: readonly string[], config: JsonObject | undefined, where: string): (name: string) => string {
  const type = config?.model_type;
  const prefix = typeof type === 'string' ? MODEL_TYPES.get(type)?.baseModelPrefix : undefined;
  const architecture = Array.isArray(config?.architectures) ? config.architectures[0] : undefined;
  if (prefix === undefined || typeof architecture !== 'string') return (name) => name;
  const hasPrefix = names.some((name) => name.startsWith(prefix));
  // The pattern takes quadratic time in a string of many "ForA"; the longest class name has about 60 characters.
  checkLimit('name of an architecture is too long', architecture.length, LONGEST_CLASS_NAME, { where });
  const isTask = /For[A-Z]\w*$|LMHeadModel$/.test(architecture);
  if (isTask && !hasPrefix) {
    return (name) => {
      if (HEADS.has(name.split('.')[0])) {
        throw new PruneError('mismatch', {
          where,
          what: `a head without the prefix "${prefix}" of the model below it`,
          tensor: name,
        });
      }
      return `${prefix}.${name}`;
    };
  }
  // A head, known or not, stands beside the prefix, whatever the config says.
  const isBase = !isTask && names.length > 0 && names.every((name) => name.startsWith(`${prefix}.`));
  return isBase ? (name) => name.slice(prefix.length + 1) : (name) => name;
}
