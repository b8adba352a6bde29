import { checkLimit, headModules, type JsonObject, MODEL_TYPES, PruneError } from '@prune/core';
import type { Checkpoint } from './checkpoint.js';

// Modules that a base model does not have. transformers calls a checkpoint corrupted that has them but not the prefix.
// We look for BERT's heads whatever the model_type is: `lm_head` of RoBERTa without the prefix is renamed, not refused.
const HEADS = headModules('bert');

const LONGEST_CLASS_NAME = 256;

/**
 * The checkpoint under the names that transformers' `from_pretrained` loads it by:
 * - `...LayerNorm.gamma` and `...LayerNorm.beta` become `weight` and `bias`; `position_ids`, a buffer that
 *   old versions saved, is dropped;
 * - with a config that names a known model: when no name begins with the base model's prefix and the architecture is a
 *   task model (`BertForQuestionAnswering`), the prefix (`bert.`) is put before every name; when the architecture is
 *   the base model itself (`BertModel`) and some name has the prefix, it is taken away and names without it are
 *   dropped.
 *
 * Throws `limit` for an architecture's name of more than 256 characters, `mismatch` when two tensors get one name, or a
 * task's head comes without the prefix.
 * Source: transformers 4.57, modeling_utils.py, `_fix_state_dict_key_on_load` and `_get_key_renaming_mapping`.
 */
export function withTransformersNames(checkpoint: Checkpoint, config?: JsonObject): Checkpoint {
  const originals = [...checkpoint.keys()];
  const rename = prefixRule(originals, config, checkpoint.name);
  const originalOf = new Map<string, string>();
  for (const original of originals) {
    const name = rename(
      original.replace(/LayerNorm\.gamma$/, 'LayerNorm.weight').replace(/LayerNorm\.beta$/, 'LayerNorm.bias'),
    );
    if (name === undefined || /(^|\.)position_ids$/.test(name)) continue;
    const other = originalOf.get(name);
    if (other !== undefined) {
      throw new PruneError('mismatch', {
        where: checkpoint.name,
        what: 'two tensors load under one name',
        got: `"${other}" and "${original}"`,
        tensor: name,
      });
    }
    originalOf.set(name, original);
  }
  return {
    name: checkpoint.name,
    format: checkpoint.format,
    keys: () => originalOf.keys(),
    info: (name) => checkpoint.info(originalOf.get(name) ?? ''),
    get: async (name) => {
      const original = originalOf.get(name);
      return original === undefined ? undefined : checkpoint.get(original);
    },
    pieces: (name) => checkpoint.pieces(originalOf.get(name) ?? ''),
    close: () => checkpoint.close(),
  } satisfies Required<Checkpoint>;
}

function prefixRule(
  names: readonly string[],
  config: JsonObject | undefined,
  where: string,
): (name: string) => string | undefined {
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
  if (!isTask && hasPrefix) {
    return (name) => (name.startsWith(`${prefix}.`) ? name.slice(prefix.length + 1) : undefined);
  }
  return (name) => name;
}
