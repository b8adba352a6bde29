/** What of a model is packed: the encoder and its head, as the notebook counts, or everything. */
export type Scope = 'encoder' | 'whole';

/** In words. */
export const SCOPE_NAMES: Readonly<Record<Scope, string>> = {
  encoder: 'encoder and head',
  whole: 'whole model',
};

/** What `prune pack --exclude` is told for each. */
export const EXCLUDED: Readonly<Record<Scope, readonly string[]>> = {
  encoder: ['embeddings', 'pooler'],
  whole: [],
};
