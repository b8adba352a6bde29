import type { JsonObject } from '../byte-sources/parse-json.js';
import { PruneError } from '../errors/prune-error.js';
import { shown } from '../errors/shown.js';

/**
 * Fields of config.json that change what a model computes, and the only value that the computation here has. Where a
 * config has no such field, the model computes as we do. Sources: configuration_bert.py and its kin in transformers
 * 4.57 (the first five, `embedding_size`), nn_pruning (`layer_norm_type`), configuration_mobilebert.py (the rest).
 */
const COMPUTED_AS: ReadonlyMap<string, boolean | number | string> = new Map<string, boolean | number | string>([
  ['is_decoder', false],
  ['add_cross_attention', false],
  ['is_encoder_decoder', false],
  ['position_embedding_type', 'absolute'],
  ['relative_attention', false],
  ['layer_norm_type', 'layer_norm'],
  ['normalization_type', 'layer_norm'],
  ['use_bottleneck', false],
  ['trigram_input', false],
  ['num_feedforward_networks', 1],
]);

/**
 * Checks that nothing in the config.json of a model of a known family asks for a computation that we do not have: a
 * decoder's mask, cross attention, relative positions, no LayerNorm. Throws `unsupported`, naming the field.
 */
export function checkComputation(config: JsonObject, where = 'config'): void {
  for (const [field, wanted] of COMPUTED_AS) refuseOther(config, field, wanted, where);
  // Smaller embeddings would be projected to the hidden size.
  if (typeof config.hidden_size === 'number') refuseOther(config, 'embedding_size', config.hidden_size, where);
}

function refuseOther(config: JsonObject, field: string, wanted: boolean | number | string, where: string): void {
  const got = Object.hasOwn(config, field) ? (config[field] ?? wanted) : wanted;
  if (got === wanted) return;
  throw new PruneError('unsupported', {
    where,
    what: `${field} changes what the model computes`,
    got: shown(got),
    wanted: String(wanted),
  });
}
