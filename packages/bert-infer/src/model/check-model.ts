import { checkArgument } from '@prune/core';
import type { BertModel } from './bert-model.js';

/** Throws `invalid-argument` for a path, a store or a promise in place of a model. */
export function checkModel(where: string, model: BertModel): void {
  const fits = typeof model?.logits === 'function';
  checkArgument(fits, { where, what: 'model', wanted: 'what loadModel gives, awaited' }, model);
}
