import { readFileSync } from 'node:fs';
import type { Elementary, JsonObject, ModelMetadata, Tensor } from '@prune/core';
import { decompose } from '@prune/csr';
import { modelPath } from '@prune/fixtures';
import { linearModules, quantizeDynamic } from '@prune/quant';
import { miniQaFloat } from './mini-qa.js';
import { readSafetensors } from './read-safetensors.js';

type Stored<V> = Map<string, V> & { readonly metadata: ModelMetadata };

/** The repository's sentence-embedding model: its encoder, with the embeddings and the tokenizer of `mini-qa`. */
export function miniEmbedFloat(): Stored<Tensor> {
  const other = miniQaFloat();
  const tensors = readSafetensors(modelPath('mini-embed/encoder.safetensors.gz'));
  for (const [name, tensor] of other) {
    if (name.startsWith('bert.embeddings.')) tensors.set(name.slice('bert.'.length), tensor);
  }
  const sentence: JsonObject = {
    'modules.json': readMiniEmbed('modules.json'),
    '1_Pooling/config.json': readMiniEmbed('1_Pooling/config.json'),
  };
  const { files } = other.metadata;
  return Object.assign(tensors, { metadata: { config: readMiniEmbed('config.json'), files, sentence } });
}

/** The same as `prune pack` would store it. */
export async function miniEmbed(): Promise<Stored<Elementary>> {
  const tensors = miniEmbedFloat();
  const quantized = quantizeDynamic(tensors, linearModules(tensors.metadata.config, tensors));
  const stored = new Map<string, Elementary>();
  for await (const [name, value] of decompose(quantized)) stored.set(name, value);
  return Object.assign(stored, { metadata: tensors.metadata });
}

/** One of the model's JSON files. */
export function readMiniEmbed(file: string) {
  return JSON.parse(readFileSync(modelPath(`mini-embed/${file}`), 'utf8'));
}
