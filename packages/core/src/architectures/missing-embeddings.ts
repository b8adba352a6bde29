import { splitPartName } from '../stages/elementary-names.js';
import { basePrefix } from './base-prefix.js';

/**
 * The embeddings that a model was kept without, and another state dict of it has: from the names that the model would
 * give them to the names that they have there. A table that the model has quantized needs no second form.
 */
export function missingEmbeddings(own: Iterable<string>, others: Iterable<string>): Map<string, string> {
  const names = new Set(own);
  const prefix = basePrefix(names);
  const missing = new Map<string, string>();
  for (const name of others) {
    const bare = name.slice(basePrefix([name]).length);
    if (bare.startsWith('embeddings.') && !names.has(prefix + bare)) missing.set(prefix + bare, name);
  }
  for (const name of names) {
    const module = splitPartName(name)?.module;
    if (module !== undefined) missing.delete(`${module}.weight`);
  }
  return missing;
}
