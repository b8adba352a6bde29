import { readFileSync } from 'node:fs';
import type { Elementary, JsonObject, ModelMetadata, Tensor } from '@prune/core';
import { decompose } from '@prune/csr';
import { modelPath } from '@prune/fixtures';
import { type EmbeddingPrecision, linearModules, quantizeDynamic } from '@prune/quant';
import { readSafetensors } from './read-safetensors.js';

type Stored<V> = Map<string, V> & { readonly metadata: ModelMetadata };

/** The repository's own model, unquantized, with its config and tokenizer. */
export function miniQaFloat(): Stored<Tensor> {
  const files = new Map([['tokenizer.json', new Uint8Array(readFileSync(modelPath('mini-qa/tokenizer.json')))]]);
  const config: JsonObject = readMiniQa('config.json');
  return Object.assign(readSafetensors(modelPath('mini-qa/model.safetensors.gz')), { metadata: { config, files } });
}

/** The repository's own model as `prune pack` would store it. */
export async function miniQa(embeddings?: EmbeddingPrecision): Promise<Stored<Elementary>> {
  const parameters = miniQaFloat();
  const entries = new Map<string, Elementary>();
  const modules = linearModules(parameters.metadata.config, parameters);
  const quantized = quantizeDynamic(parameters, { ...modules, embeddings });
  for await (const [name, value] of decompose(quantized)) entries.set(name, value);
  return Object.assign(entries, { metadata: parameters.metadata });
}

/** A JSON file of the model's folder. */
export function readMiniQa(name: string) {
  return JSON.parse(readFileSync(modelPath(`mini-qa/${name}`), 'utf8'));
}
