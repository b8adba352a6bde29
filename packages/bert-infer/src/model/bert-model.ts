import type { QuantizationProfile, SentencePipeline, Tensor } from '@prune/core';
import type { AttentionMode, Kernels } from '@prune/kernels';
import type { Tokenizer } from '@prune/tokenizer';
import type { ModelInputs, Padding } from '../batch/pack-batch.js';
import type { BertConfig } from '../config/bert-config.js';
import type { HeadName, Logits, LogitsOf } from '../heads/head.js';
import type { LayerSizes } from '../weights/load-layers.js';

/** Options of a forward pass. */
export interface ForwardOptions {
  /** Default: `skip`. */
  readonly padding?: Padding;
  /** Stops the pass when it next returns to the event loop, or while it waits for its turn, with `aborted`. */
  readonly signal?: AbortSignal;
}

/** How a model computes, and what it takes. */
export interface ModelInfo {
  readonly kernels: Kernels;
  /** One sentence that says why `auto` did not choose the fastest kernels. */
  readonly kernelsNote?: string;
  /** How many threads compute, the calling one included. */
  readonly threads: number;
  /** How many were asked for. */
  readonly threadsWanted: number;
  /** One sentence that says why fewer compute than were asked for. */
  readonly threadsNote?: string;
  /** How its quantized Linears compute; `float32` when none is quantized. */
  readonly profile: QuantizationProfile | 'float32';
  readonly attention: AttentionMode;
  /** Whether each token has its own activation scale, so that results do not depend on what they were batched with. */
  readonly rowwise: boolean;
  /** What each layer has: fewer heads or neurons than the config says where some were pruned. */
  readonly layers: readonly LayerSizes[];
  /** Whether an embedding table is in the store, and rows of it are fetched when a text needs them. */
  readonly lazyEmbeddings: boolean;
  /** Bytes; `undefined` where the reference kernels keep the weights. 0 once closed. */
  readonly memory: {
    /** The layers' weights, and what the largest batch so far needed to work. */
    readonly encoder?: number;
    /** Of tables in the store: the rows that are kept. */
    readonly embeddings: number;
    /** The heads' Linears. A masked LM's decoder is there once it was used. */
    readonly heads?: number;
  };
}

/** A model that is ready to compute. All float32, all shapes as transformers has them; outputs at skipped padding are 0. */
export interface BertModel {
  readonly config: BertConfig;
  /** How its quantized Linears compute; `float32` when none is quantized. */
  readonly profile: QuantizationProfile | 'float32';
  /** How it computes and how much memory it has at this moment. */
  readonly info: ModelInfo;
  /** How it makes a sentence's embedding, where it comes from a sentence-transformers folder. */
  readonly sentence: SentencePipeline | undefined;
  /** The heads that its file holds; the first is the one that config.json names, or the only one. */
  readonly heads: readonly HeadName[];
  /** Read from the model's files when it is first asked for. Throws `missing` when the file has none. */
  tokenizer(): Promise<Tokenizer>;
  /** The logits of a head (default: the first of `heads`). Throws `missing` when the model does not have it; see `packBatch` for inputs. */
  logits<H extends HeadName>(inputs: ModelInputs, options: ForwardOptions & { readonly head: H }): Promise<LogitsOf<H>>;
  logits(inputs: ModelInputs, options?: ForwardOptions & { readonly head?: HeadName }): Promise<Logits>;
  /** The embeddings' output and every layer's, `layers + 1` tensors `[batch, length, hiddenSize]`. */
  hiddenStates(inputs: ModelInputs, options?: ForwardOptions): Promise<Tensor<'float32'>[]>;
  /** The mean of the last layer's attended tokens, one row a sequence: `[batch, hiddenSize]`. */
  meanPooled(inputs: ModelInputs, options?: ForwardOptions): Promise<Tensor<'float32'>>;
  /**
   * What the modules of {@link sentence} make of the last layer, one row a sequence: `[batch, width]`. Without them it
   * is {@link meanPooled}.
   */
  sentenceEmbeddings(inputs: ModelInputs, options?: ForwardOptions): Promise<Tensor<'float32'>>;
  /**
   * Reads the embedding tables that `lazyEmbeddings` left in the store, which the model does not need afterwards; there
   * may be none. Meanwhile the model computes as before. Throws what the store throws, and `aborted`: the tables then
   * stay in the store. `close` stops it.
   */
  loadEmbeddings(options?: Pick<ForwardOptions, 'signal'>): Promise<void>;
  /**
   * Ends the model's threads and lets go of its weights, which garbage collection frees; resolves when the threads have
   * ended. Calls that came before finish; those that come later throw `invalid-argument`, but for `tokenizer`. The
   * engine is the caller's to close when the caller made it. Safe to call twice.
   */
  close(): Promise<void>;
}
