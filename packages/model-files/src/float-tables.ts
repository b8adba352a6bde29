import { type ElementaryStateDict, EMBEDDING_PARTS, type QuantizedStateDict, splitPartName } from '@prune/core';
import { recompose } from '@prune/csr';
import { dequantizeEmbedding } from '@prune/quant';

/** The quantized state dict of an elementary one, with the quantized tables `X` as float tensors `X.weight`. */
export function floatTables(elementary: ElementaryStateDict): QuantizedStateDict {
  const quantized = recompose(elementary);
  const tables = new Map<string, string>();
  for (const name of elementary.keys()) {
    const split = splitPartName(name);
    if (split?.part === EMBEDDING_PARTS.intRepr) tables.set(split.module, `${split.module}.weight`);
  }
  const modules = new Map([...quantized.keys()].map((name) => [tables.get(name) ?? name, name]));
  return {
    keys: () => modules.keys(),
    async get(name) {
      const module = modules.get(name);
      const entry = module === undefined ? undefined : await quantized.get(module);
      return entry !== undefined && 'kind' in entry && entry.kind === 'embedding' ? dequantizeEmbedding(entry) : entry;
    },
  };
}
