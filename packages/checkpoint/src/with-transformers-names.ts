import type { JsonObject } from '@prune/core';
import type { Checkpoint } from './checkpoint.js';
import { renameCheckpoint } from './names/rename-checkpoint.js';

/**
 * The checkpoint under the names that transformers' `from_pretrained` loads it by:
 * - with a config that names a known model: without what wrappers put before names or into them (`module.`,
 *   `_orig_mod.`, `model.`, `0.auto_model.`), and without what is not the model's;
 * - `...LayerNorm.gamma` and `...LayerNorm.beta` become `weight` and `bias`; `position_ids`, a buffer that
 *   old versions saved, is dropped;
 * - with a config that names a known model: when no name begins with the base model's prefix and the architecture is a
 *   task model (`BertForQuestionAnswering`), the prefix (`bert.`) is put before every name; when the architecture is
 *   the base model itself (`BertModel`) and every name has the prefix, it is taken away. Heads are kept whatever the
 *   architecture is.
 *
 * `openStagedCheckpoint` does this, applies masks, and says in `notes` what it changed.
 * Throws `limit` for an architecture's name of more than 256 characters, `mismatch` when two tensors get one name, or a
 * task's head comes without the prefix, `invalid-argument` for a file of several models, `unsupported` for weights
 * whose parametrization or pruning is kept apart.
 * Source: transformers 4.57, modeling_utils.py, `_fix_state_dict_key_on_load` and `_get_key_renaming_mapping`.
 */
export function withTransformersNames(checkpoint: Checkpoint, config?: JsonObject): Checkpoint {
  return renameCheckpoint(checkpoint, config).tensors;
}
