import type {
  AnswerOptions,
  AnswerResult,
  BertModel,
  ClassifyOptions,
  ClassifyTokensOptions,
  EmbedOptions,
  LabelScore,
  TokenLabel,
} from '@prune/bert-infer';
import { checkAborted, type Progress, PruneError } from '@prune/core';
import type { BlobLike } from './blob-source.js';
import { shownUrl } from './http/shown-url.js';
import type { HttpSourceOptions } from './http-source.js';
import { resolvedUrl, type UrlLike } from './resolved-url.js';
import type { CallProgress, LoadOptions, ModelFacts, ModelFrom, OpenRequest, StoreOptions } from './worker/messages.js';
import type { ModelWorker } from './worker/model-worker.js';
import { startWorker } from './worker/start-worker.js';
import { type CallOptions, WorkerCalls } from './worker/worker-calls.js';

/** Options of {@link openModel}. */
export interface OpenModelOptions extends LoadOptions, StoreOptions {
  /** How a URL is read. */
  readonly http?: OpenRequest['http'];
  /**
   * Where the bytes of a URL are kept from one visit to the next: a cache of the browser's Cache Storage by this name.
   * `true`: `DEFAULT_CACHE_NAME`. `false`: nothing is kept. Default: `true`; where there is no Cache Storage, nothing
   * is kept.
   */
  readonly cache?: boolean | string;
  /**
   * Fetches the rest of the file in the background once the model is ready, while no call runs: into the cache, or,
   * where nothing is kept, the embedding tables into memory. Later texts then wait for nothing. Progress goes on in
   * `onProgress`; a failure of the network ends it without an error. Default: `false`.
   */
  readonly prefetch?: boolean;
  /** Stops the opening with `aborted`, and ends the worker. */
  readonly signal?: AbortSignal;
  /** Called with the bytes of a URL that have come, and with the layers that are loaded. */
  readonly onProgress?: (progress: OpenProgress) => void;
  /**
   * Starts a worker that runs `@prune/web/worker`, where the worker's file lies elsewhere. Default: a module worker
   * beside this module, which bundlers find; a thread in Node.
   */
  readonly worker?: () => ModelWorker;
}

/** The name of the cache that models are kept in. */
export const DEFAULT_CACHE_NAME = 'prune';

/** How far an opening is. */
export interface OpenProgress extends Progress {
  readonly of: 'bytes' | 'layers';
}

/** Options of a call in which progress comes without the result so far, which is in the worker. */
export type Watched<Options> = Omit<Options, 'onProgress'> & { readonly onProgress?: (progress: Progress) => void };

/**
 * A model in a worker. Its calls are queued and run one after another; each takes a signal. Arguments and results are
 * those of the functions and methods of the same names in `@prune/bert-infer`.
 */
export interface OpenedModel
  extends Pick<
    BertModel,
    | 'config'
    | 'profile'
    | 'info'
    | 'sentence'
    | 'heads'
    | 'logits'
    | 'hiddenStates'
    | 'meanPooled'
    | 'sentenceEmbeddings'
  > {
  answer(
    request: { readonly question: string; readonly context: string } & Watched<AnswerOptions>,
  ): Promise<AnswerResult>;
  embed(text: string, options?: Watched<EmbedOptions>): Promise<Float32Array>;
  embed(texts: readonly string[], options?: Watched<EmbedOptions>): Promise<Float32Array[]>;
  classify(text: string, options?: Watched<ClassifyOptions>): Promise<LabelScore[]>;
  classify(texts: readonly string[], options?: Watched<ClassifyOptions>): Promise<LabelScore[][]>;
  classifyTokens(text: string, options?: Watched<ClassifyTokensOptions>): Promise<TokenLabel[]>;
  /**
   * Ends the worker, which frees its memory, once the calls that came before are done. Calls that come later throw
   * `invalid-argument`. Safe to call twice.
   */
  close(): Promise<void>;
}

/**
 * Opens a `.prune` file in a worker of its own: a URL, a `Blob` or `File`, or its bytes, which are copied.
 * Throws what `httpSource`, `openMsgpackStore` and `loadModel` throw, and `io` when the worker does not start or dies;
 * then every call throws that.
 */
export async function openModel(
  from: string | UrlLike | BlobLike | Uint8Array,
  options: OpenModelOptions = {},
): Promise<OpenedModel> {
  const { http = {}, cache = true, prefetch = false, signal, onProgress, worker = startWorker, ...others } = options;
  const { model, integrity, ...load } = others;
  const { sent, named } = sentFrom(from);
  checkAborted(signal);
  const calls = new WorkerCalls(started(worker), 'url' in sent ? shownUrl(new URL(sent.url)) : 'the model');
  try {
    const request: OpenRequest = {
      from: sent,
      load,
      http: withoutFunctions(http),
      store: { model: model ?? named, integrity },
      cache: cache === true ? DEFAULT_CACHE_NAME : cache === false ? undefined : cache,
      prefetch,
      lock: calls.lock,
    };
    const watch = { signal, onProgress: onProgress as CallOptions['onProgress'], goesOn: prefetch };
    const facts = (await calls.call('open', [request], watch)) as ModelFacts;
    return openedModel(calls, facts);
  } catch (error) {
    calls.end(closedError());
    throw error;
  }
}

function openedModel(calls: WorkerCalls, facts: ModelFacts): OpenedModel {
  let closing: Promise<void> | undefined;
  /** Sends a call whose last argument is its options. */
  async function send(call: string, args: readonly unknown[], options: CallOptions | undefined): Promise<never> {
    if (closing !== undefined) throw closedError();
    const { signal, onProgress, ...sent } = options ?? {};
    const watch = {
      signal,
      onProgress: onProgress && (({ done, total }: CallProgress) => onProgress({ done, total })),
    };
    return (await calls.call(call, [...args, sent], watch)) as never;
  }
  return {
    ...facts,
    get info() {
      return calls.info ?? facts.info;
    },
    answer: (request) => send('answer', [], request),
    embed: (texts: string | readonly string[], options?: CallOptions) => send('embed', [texts], options),
    classify: (texts: string | readonly string[], options?: CallOptions) => send('classify', [texts], options),
    classifyTokens: (text, options) => send('classifyTokens', [text], options),
    logits: (inputs: unknown, options?: CallOptions) => send('logits', [inputs], options),
    hiddenStates: (inputs, options) => send('hiddenStates', [inputs], options),
    meanPooled: (inputs, options) => send('meanPooled', [inputs], options),
    sentenceEmbeddings: (inputs, options) => send('sentenceEmbeddings', [inputs], options),
    close() {
      // Queued behind the calls that came before. A worker that has died has nothing to close.
      closing ??= calls.call('close', []).then(
        () => calls.end(closedError()),
        () => calls.end(closedError()),
      );
      return closing;
    },
  };
}

/** What is sent, and the model that a URL names behind `#`. */
function sentFrom(from: string | UrlLike | BlobLike | Uint8Array): { sent: ModelFrom; named?: string } {
  if (from instanceof Uint8Array) return { sent: { bytes: from } };
  if (typeof from === 'string') return sentUrl(from);
  if (typeof from === 'object' && from !== null) {
    if ('href' in from) return sentUrl(from);
    if (typeof from.slice === 'function' && typeof from.size === 'number') return { sent: { blob: from } };
  }
  throw new PruneError('invalid-argument', {
    where: 'openModel',
    what: 'not a model',
    got: Object.prototype.toString.call(from),
    wanted: 'a URL, a Blob or File, or a Uint8Array',
  });
}

function sentUrl(from: string | UrlLike): { sent: ModelFrom; named?: string } {
  const url = resolvedUrl(from, 'openModel');
  const named = url.hash === '' ? undefined : decodedName(url.hash.slice(1));
  url.hash = '';
  return { sent: { url: url.href }, named };
}

/** A browser escapes some characters of a name; what it would not have escaped stays as it is. */
function decodedName(hash: string): string {
  try {
    return decodeURIComponent(hash);
  } catch {
    return hash;
  }
}

/** Callers without types may hand in `fetch` or a signal here, which cannot be sent to a worker. */
function withoutFunctions(http: HttpSourceOptions): OpenRequest['http'] {
  const { fetch, signal, onProgress, ...rest } = http;
  return rest;
}

/** A browser throws at once where a policy forbids the worker's address. */
function started(worker: () => ModelWorker): ModelWorker {
  try {
    return worker();
  } catch (cause) {
    if (cause instanceof PruneError) throw cause;
    const what = `the worker did not start: ${(cause as Error).message}`;
    throw new PruneError('io', { where: 'openModel', what, cause });
  }
}

function closedError(): PruneError {
  return new PruneError('invalid-argument', { where: 'openModel', what: 'the model is closed' });
}
