import { checkAborted, PruneError, type ReadableMap, type SentencePipeline } from '@prune/core';
import type { CreateTokenizerOptions, Tokenizer } from '@prune/tokenizer';
import { loadTokenizer } from '@prune/tokenizer';
import { type ModelInputs, type PackedBatch, packBatch } from '../batch/pack-batch.js';
import { scatterTokens } from '../batch/scatter-tokens.js';
import type { Head, HeadName, Logits, LogitsOf } from '../heads/head.js';
import type { SentenceEmbedder } from '../sentence/load-sentence.js';
import { poolTokens } from '../sentence/pool-tokens.js';
import type { ModelEmbeddings } from '../weights/model-embeddings.js';
import type { BertModel, ForwardOptions, ModelInfo } from './bert-model.js';

/** The parts of a model that is loaded. */
export interface ModelParts {
  readonly config: BertModel['config'];
  readonly profile: BertModel['profile'];
  readonly info: Omit<ModelInfo, 'memory' | 'lazyEmbeddings'>;
  memory(): ModelInfo['memory'];
  readonly embeddings: Pick<ModelEmbeddings, 'lazy' | 'load' | 'stopLoading'>;
  readonly heads: readonly Head[];
  readonly files: ReadableMap<Uint8Array> | undefined;
  readonly tokenizerOptions: CreateTokenizerOptions;
  /** The hidden states of a batch, float32 `[tokens, hiddenSize]` each: the last layer's, or with `all` the embeddings' and every layer's. */
  encode(batch: PackedBatch, all: boolean, signal: AbortSignal | undefined): Promise<readonly Float32Array[]>;
  readonly sentence: SentencePipeline | undefined;
  readonly embedSentences: SentenceEmbedder;
  close(): Promise<void>;
}

/**
 * Puts the parts of a model behind the {@link BertModel} interface. `close` waits for the calls that came before it,
 * because a head computes after the encoder's pass.
 */
export function createModel(parts: ModelParts): BertModel {
  const { config, profile, info, files, tokenizerOptions } = parts;
  const { hiddenSize } = config;
  const names = parts.heads.map(({ name }) => name);
  // All that holds weights, so that a closed model that is kept does not keep them.
  let open: Pick<ModelParts, 'heads' | 'encode' | 'embedSentences' | 'memory' | 'embeddings'> | undefined = {
    heads: parts.heads,
    encode: parts.encode,
    embedSentences: parts.embedSentences,
    memory: parts.memory,
    embeddings: parts.embeddings,
  };
  let tokenizer: Promise<Tokenizer> | undefined;
  const running = new Set<Promise<unknown>>();
  let closing: Promise<void> | undefined;
  const { close } = parts;

  const checkOpen = () => {
    if (open !== undefined) return open;
    throw new PruneError('invalid-argument', { where: 'bert-infer', what: 'the model is closed' });
  };
  function untilDone<T>(call: Promise<T>): Promise<T> {
    const done = () => running.delete(call);
    running.add(call);
    call.then(done, done);
    return call;
  }
  const last = async (inputs: ModelInputs, { padding = 'skip', signal }: ForwardOptions) => {
    const { encode } = checkOpen();
    const batch = packBatch(inputs, config, padding);
    return { batch, hidden: (await encode(batch, false, signal)).at(-1)! };
  };
  async function logits<H extends HeadName>(
    inputs: ModelInputs,
    options: ForwardOptions & { readonly head?: H } = {},
  ): Promise<LogitsOf<H>> {
    const { heads } = checkOpen();
    const head = options.head === undefined ? heads[0] : heads.find(({ name }) => name === options.head);
    if (head === undefined) {
      throw new PruneError('missing', {
        where: 'bert-infer',
        what: 'the model does not have this head',
        got: names.join(', ') || 'no head',
        wanted: options.head ?? 'any',
      });
    }
    const { batch, hidden } = await last(inputs, options);
    return (await head.logits(hidden, batch, options.signal)) satisfies Logits as LogitsOf<H>;
  }
  async function hiddenStates(inputs: ModelInputs, { padding = 'skip', signal }: ForwardOptions = {}) {
    const { encode } = checkOpen();
    const batch = packBatch(inputs, config, padding);
    const all = await encode(batch, true, signal);
    return all.map((hidden) => scatterTokens(hidden, hiddenSize, batch));
  }
  async function meanPooled(inputs: ModelInputs, options: ForwardOptions = {}) {
    const { batch, hidden } = await last(inputs, options);
    return {
      dtype: 'float32' as const,
      shape: [batch.batch, hiddenSize],
      data: poolTokens(hidden, batch, hiddenSize, ['mean']),
    };
  }
  async function sentenceEmbeddings(inputs: ModelInputs, options: ForwardOptions = {}) {
    const { embedSentences } = checkOpen();
    const { batch, hidden } = await last(inputs, options);
    return embedSentences(hidden, batch);
  }
  const loadEmbeddings = async ({ signal }: Pick<ForwardOptions, 'signal'> = {}) => {
    checkAborted(signal);
    await checkOpen().embeddings.load(signal);
  };
  return {
    config,
    profile,
    get info() {
      return {
        ...info,
        lazyEmbeddings: open?.embeddings.lazy ?? false,
        memory: open?.memory() ?? { encoder: 0, embeddings: 0, heads: 0 },
      };
    },
    heads: names,
    sentence: parts.sentence,
    tokenizer() {
      if (tokenizer === undefined) {
        const loading = loadTokenizer(files, tokenizerOptions);
        tokenizer = loading;
        // Whoever asks again reads the files again: the network may be back.
        loading.catch(() => {
          if (tokenizer === loading) tokenizer = undefined;
        });
      }
      return tokenizer;
    },
    logits: <H extends HeadName>(inputs: ModelInputs, options?: ForwardOptions & { readonly head?: H }) =>
      untilDone(logits(inputs, options)),
    hiddenStates: (inputs, options) => untilDone(hiddenStates(inputs, options)),
    meanPooled: (inputs, options) => untilDone(meanPooled(inputs, options)),
    sentenceEmbeddings: (inputs, options) => untilDone(sentenceEmbeddings(inputs, options)),
    loadEmbeddings: (options) => untilDone(loadEmbeddings(options)),
    close() {
      open?.embeddings.stopLoading();
      open = undefined;
      closing ??= Promise.allSettled(running).then(close);
      return closing;
    },
  };
}
