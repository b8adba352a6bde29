import { profileOf } from '@prune/quant';
import {
  type ElementaryStateDict,
  type JsonObject,
  type ModelMetadata,
  PruneError,
  type QuantizationProfile,
  type StateDict,
} from '@prune/state-dict';
import { loadHeads } from '../heads/load-heads.js';
import type { LinearMode } from './apply-linear.js';
import { bertConfig } from './bert-config.js';
import type { BertModel } from './bert-model.js';
import { createModel } from './create-model.js';
import { embedTokens } from './embed-tokens.js';
import { loadEmbeddings } from './load-embeddings.js';
import { loadLayers } from './load-layers.js';
import { parameterNames } from './parameter-names.js';
import { prefixOf, readModules } from './read-modules.js';
import { referenceEncoder, referenceLayerNorm } from './reference-encoder.js';

/** A model as a store or an open checkpoint has it: its tensors, and what travels with them. */
export type StoredModel = ElementaryStateDict & { readonly metadata?: ModelMetadata };

/** Options of {@link loadModel}. */
export interface LoadModelOptions {
  /** The Hugging Face config.json. Default: the model's own. */
  readonly config?: JsonObject;
  /** How the quantized Linears compute. Default: what the model's metadata says. */
  readonly profile?: QuantizationProfile;
  /** Where the embeddings are when the model was packed without them: a checkpoint of it. */
  readonly embeddings?: StateDict;
  /** Activations quantized for each token alone, so that a result does not depend on what it was batched with. Default: false, PyTorch's way. */
  readonly rowwise?: boolean;
}

/**
 * Loads a model: from any store (its sparse int8 weights go to the engine as they are, no dense weight is made) or from a float state dict,
 * which computes in float32. Every tensor is checked against the config before it is used; the store is not needed afterwards, but for its
 * tokenizer. Throws `missing`, `mismatch`, `unsupported`, `corrupt`, `limit` with the tensor's name, and what the store throws.
 */
export async function loadModel(store: StoredModel, options: LoadModelOptions = {}): Promise<BertModel> {
  const metadata = store.metadata ?? {};
  const json = options.config ?? metadata.config;
  if (json === undefined) {
    throw new PruneError('missing', {
      where: 'bert-infer',
      what: 'the model comes without config.json',
      wanted: 'the option `config`',
    });
  }
  const config = bertConfig(json);
  const modules = readModules(store, options.embeddings);
  const names = parameterNames(config.family, prefixOf(modules.names, config.family));
  const mode: LinearMode = { profile: profileOf(metadata, options.profile), rowwise: options.rowwise ?? false };
  const embeddings = await loadEmbeddings(modules, names, config);
  const layers = await loadLayers(modules, names, config);
  const heads = await loadHeads(modules, names, config, mode, embeddings.tables.word);
  const quantized = layers.some(({ query }) => query.kind === 'linear');
  const spec = { layers, heads: config.heads, activation: config.activation, layerNormEps: config.layerNormEps, mode };
  return createModel({
    config,
    profile: quantized ? mode.profile : 'float32',
    heads,
    files: metadata.files,
    async encode(batch) {
      const input = referenceLayerNorm(embedTokens(embeddings.tables, batch), embeddings.norm, config.layerNormEps);
      return referenceEncoder(spec, input, batch.lengths, batch.keyLengths);
    },
    async close() {},
  });
}
