import {
  basePrefix,
  checkAborted,
  checkArgument,
  type ElementaryStateDict,
  type JsonObject,
  type ModelMetadata,
  type ParameterNames,
  PruneError,
  parameterNames,
  type QuantizationProfile,
  type StateDict,
} from '@prune/core';
import {
  type AttentionMode,
  createEngine,
  type Encoder,
  type Engine,
  type EngineOptions,
  type LinearMode,
  type LoadedLinear,
} from '@prune/kernels';
import { profileOf } from '@prune/quant';
import type { TokenizerLimits } from '@prune/tokenizer';
import { type BertConfig, bertConfig } from '../config/bert-config.js';
import { hasTiedDecoder } from '../heads/has-tied-decoder.js';
import type { LoadLinear } from '../heads/head.js';
import { loadHeads } from '../heads/load-heads.js';
import { loadSentence } from '../sentence/load-sentence.js';
import { sentenceOf } from '../sentence/sentence-of.js';
import type { WatchOptions } from '../watch-options.js';
import { embedTokens } from '../weights/embed-tokens.js';
import { loadEmbeddings } from '../weights/load-embeddings.js';
import { type LayerSizes, loadLayers } from '../weights/load-layers.js';
import type { ModelEmbeddings } from '../weights/model-embeddings.js';
import { type ModuleReader, readModules } from '../weights/read-modules.js';
import type { BertModel } from './bert-model.js';
import { createModel, type ModelParts } from './create-model.js';

/** A model as a store or an open checkpoint has it: its tensors, and what travels with them. */
export type StoredModel = ElementaryStateDict & { readonly metadata?: ModelMetadata };

/** Options of {@link loadModel}. Progress counts layers. */
export interface LoadModelOptions extends WatchOptions {
  /** What computes: an engine, or how the model is to make one of its own, which is closed with the model. */
  readonly engine?: Engine | EngineOptions;
  /** The Hugging Face config.json. Default: the model's own. */
  readonly config?: JsonObject;
  /** How the quantized Linears compute. Default: what the model's metadata says. */
  readonly profile?: QuantizationProfile;
  /** Where the embeddings are when the model was packed without them: a checkpoint of it. */
  readonly embeddings?: StateDict;
  /**
   * Leaves the word and position tables in a store that can read some rows of them without the others (`selectRows` and
   * `info` of the store), and fetches the rows that a text needs. The store must then stay open as long as the model.
   * A table of another store, of `embeddings`, and the word table of a masked LM whose decoder is tied to it are read
   * whole. Default: false.
   */
  readonly lazyEmbeddings?: boolean;
  /** Activations quantized for each token alone, so that a result does not depend on what it was batched with. Default: false, PyTorch's way. */
  readonly rowwise?: boolean;
  /** Attention in float32, or quantized to 16 bits. Default: the engine's. */
  readonly attention?: AttentionMode;
  /** What the tokenizer's files may ask for. Default: `DEFAULT_TOKENIZER_LIMITS` of `@prune/tokenizer`. */
  readonly tokenizerLimits?: TokenizerLimits;
}

/**
 * Loads a model: from any store (its sparse int8 weights go to the engine as they are, no dense weight is made) or from
 * a float state dict, which computes in float32. Every tensor is checked against the config before it is used. The
 * store is not needed afterwards, but for its tokenizer, and for embeddings that stay in it (`lazyEmbeddings`). Throws
 * `missing`, `mismatch`, `unsupported`, `corrupt`, `limit` with the tensor's name, and what the store throws. Throws
 * `aborted` as soon as the signal aborts; the store may still read the tensor that it was asked for.
 */
export async function loadModel(store: StoredModel, options: LoadModelOptions = {}): Promise<BertModel> {
  // Callers without types hand in a path, a promise of a store, or what `openCheckpoint` gives, whose tensors it wants.
  checkArgument(
    typeof store?.get === 'function',
    {
      where: 'bert-infer',
      what: 'loadModel takes an open store or a state dict',
      wanted: 'what openStore of @prune/model-files/node, or openMsgpackFile of @prune/msgpack-store/node, opens',
    },
    store,
  );
  const { signal, onProgress } = options;
  checkAborted(signal);
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
  const modules = readModules(store, options.embeddings, signal);
  const names = parameterNames(config.family, basePrefix(modules.names, [config.family]));
  const mode: LinearMode = { profile: profileOf(metadata, options.profile), rowwise: options.rowwise ?? false };
  const { lazyEmbeddings: lazy = false } = options;
  const embeddings = await loadEmbeddings(
    modules,
    names,
    config,
    { word: lazy && !hasTiedDecoder(modules, names), position: lazy },
    readerOf(store, options.embeddings),
  );
  checkAborted(signal);
  const { engine: given = {} } = options;
  const engine = isEngine(given) ? given : await createEngine(given);
  let encoder: Encoder | undefined;
  const linears: LoadedLinear[] = [];
  const close = async () => {
    for (const linear of linears.splice(0)) linear.close();
    await encoder?.close();
    if (engine !== given) await engine.close();
  };
  try {
    const layers: LayerSizes[] = [];
    const quantized = isQuantized(modules, names, config);
    const loaded = await engine.loadEncoder({
      layers: loadLayers(modules, names, config, { signal, onProgress }, layers),
      heads: config.heads,
      inputNorm: embeddings.norm,
      activation: config.activation,
      layerNormEps: config.layerNormEps,
      attention: options.attention,
      ...mode,
    });
    encoder = loaded;
    checkAborted(signal);
    const load: LoadLinear = (linear, name) => {
      const loadedLinear = engine.loadLinear(linear, mode, name);
      linears.push(loadedLinear);
      return loadedLinear;
    };
    const heads = await loadHeads(modules, names, config, load, embeddings.words, engine, mode.profile);
    const sentence = await sentenceOf(metadata);
    const embedSentences = await loadSentence(sentence, modules, config.hiddenSize, load);
    checkAborted(signal);
    const profile = quantized ? mode.profile : 'float32';
    const { kernels, kernelsNote, threads, threadsWanted, threadsNote } = engine;
    const { attention = 'float32' } = options;
    return createModel({
      config,
      profile,
      info: {
        kernels,
        kernelsNote,
        threads,
        threadsWanted,
        threadsNote,
        profile,
        attention,
        rowwise: mode.rowwise,
        layers,
      },
      memory: memoryOf(embeddings.tables, loaded, linears),
      embeddings: embeddings.tables,
      heads,
      sentence,
      embedSentences,
      files: metadata.files,
      tokenizerOptions: { limits: options.tokenizerLimits, config: json },
      encode: encodeWith(embeddings.tables, loaded),
      close,
    });
  } catch (error) {
    await close();
    throw error;
  }
}

/** Outside `loadModel`, because `close` would share a scope with the store there, and a closed model would keep it. */
function readerOf(store: StoredModel, embeddings: StateDict | undefined) {
  return (signal: AbortSignal) => readModules(store, embeddings, signal);
}

/** Outside `loadModel`, as {@link readerOf}: a closed model would keep the tables. */
function encodeWith(embeddings: ModelEmbeddings, encoder: Encoder): ModelParts['encode'] {
  return async (batch, all, signal) => {
    const { keyLengths, lengths } = batch;
    const ready = embeddings.tablesFor(batch, signal);
    // Where all tables are whole, the pass takes its turn at once, in the order of the calls.
    const tables = ready instanceof Promise ? await ready : ready;
    const output = await encoder.forward(embedTokens(tables, batch), lengths, {
      keyLengths,
      hiddenStates: all,
      signal,
    });
    return output.all ?? [output.last];
  };
}

/** Outside `loadModel`, as {@link encodeWith}. */
function memoryOf(
  embeddings: ModelEmbeddings,
  encoder: Encoder,
  linears: readonly LoadedLinear[],
): ModelParts['memory'] {
  return () => ({
    encoder: encoder.memoryBytes,
    embeddings: embeddings.bytes,
    heads: encoder.memoryBytes && linears.reduce((sum, linear) => sum + (linear.memoryBytes ?? 0), 0),
  });
}

/** By the first Linear of the encoder; a model without a layer has none. */
function isQuantized(modules: ModuleReader, names: ParameterNames, { layers }: BertConfig): boolean {
  return layers > 0 && modules.names.has(names.layer(0).query);
}

function isEngine(given: Engine | EngineOptions): given is Engine {
  return 'loadEncoder' in given;
}
