import {
  answer,
  type BertModel,
  classify,
  classifyTokens,
  embed,
  type LoadModelOptions,
  loadModel,
} from '@prune/bert-infer';
import { checkAborted, PruneError, type TensorStore } from '@prune/core';
import { type OpenBase, openMsgpackStore } from '@prune/msgpack-store';
import { blobSource } from '../blob-source.js';
import { DEFAULT_HTTP_SOURCE_OPTIONS, httpSource } from '../http-source.js';
import type { CallProgress, ModelFacts, OpenRequest, Reply, Request } from './messages.js';
import { sentError } from './sent-error.js';

const { keepBytes } = DEFAULT_HTTP_SOURCE_OPTIONS;

/** The worker's side of the messages: `self` in a worker of the browser, the parent's port in Node. */
export interface WorkerPort {
  postMessage(message: unknown): void;
  addEventListener(type: 'message', listener: (event: { readonly data?: unknown }) => void): void;
}

type EngineOptions = Exclude<NonNullable<LoadModelOptions['engine']>, { loadEncoder: unknown }>;

interface Watch {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: CallProgress) => void;
}

interface Opened {
  readonly model: BertModel;
  readonly store: TensorStore;
}

// Arguments come as the caller gave them. What is wrong with them is found by the functions that are called.
type Call = (model: BertModel, args: readonly unknown[], watch: Watch) => Promise<unknown>;
type Arguments<F extends (...args: never[]) => unknown> = Parameters<F>;

const CALLS: Readonly<Record<string, Call>> = {
  answer: (model, [request], watch) => answer(model, { ...(request as Arguments<typeof answer>[1]), ...watch }),
  embed: (model, [text, options], watch) => embed(model, text as string, { ...(options as object), ...watch }),
  classify: (model, [text, options], watch) => classify(model, text as string, { ...(options as object), ...watch }),
  classifyTokens: (model, [text, options], watch) =>
    classifyTokens(model, text as string, { ...(options as object), ...watch }),
  logits: (model, [inputs, options], { signal }) => model.logits(inputs as never, { ...(options as object), signal }),
  hiddenStates: (model, [inputs, options], { signal }) =>
    model.hiddenStates(inputs as never, { ...(options as object), signal }),
  meanPooled: (model, [inputs, options], { signal }) =>
    model.meanPooled(inputs as never, { ...(options as object), signal }),
  sentenceEmbeddings: (model, [inputs, options], { signal }) =>
    model.sentenceEmbeddings(inputs as never, { ...(options as object), signal }),
};

/**
 * Answers the calls of `openModel` with one model. They run one after another, in the order in which they came; each
 * can be stopped, also before its turn. `wasm`: what gives the kernels, where the worker's file does not hold them.
 */
export function serveModel(port: WorkerPort, wasm?: EngineOptions['wasm']): void {
  let opened: Opened | undefined;
  let last: Promise<unknown> = Promise.resolve();
  const running = new Map<number, AbortController>();
  const send = (reply: Reply) => port.postMessage(reply);

  async function run(id: number, call: string, args: readonly unknown[], signal: AbortSignal): Promise<unknown> {
    checkAborted(signal);
    const watch: Watch = { signal, onProgress: ({ done, total, of }) => send({ id, progress: { done, total, of } }) };
    if (call === 'open') {
      opened = await open(args[0] as OpenRequest, watch, wasm);
      const { config, profile, info, sentence, heads } = opened.model;
      return { config, profile, info, sentence, heads } satisfies ModelFacts;
    }
    if (call === 'close') {
      const closing = opened;
      opened = undefined;
      await closing?.model.close();
      await closing?.store.close();
      return undefined;
    }
    if (opened === undefined || !Object.hasOwn(CALLS, call)) {
      throw new PruneError('invalid-argument', {
        where: 'worker',
        what: 'a call that the worker does not know',
        got: call,
      });
    }
    return CALLS[call](opened.model, args, watch);
  }

  port.addEventListener('message', ({ data }) => {
    const request = data as Request;
    if ('abort' in request) {
      running.get(request.abort)?.abort();
      return;
    }
    const { id, call, args } = request;
    const controller = new AbortController();
    running.set(id, controller);
    last = last
      .then(() => run(id, call, args, controller.signal))
      .then(
        (value) => send({ id, value, info: opened?.model.info }),
        (error) => send({ id, error: sentError(error) }),
      )
      .finally(() => running.delete(id));
  });
}

async function open(
  { from, load, http, store: storeOptions }: OpenRequest,
  { signal, onProgress }: Watch,
  wasm: EngineOptions['wasm'],
): Promise<Opened> {
  const { threads, kernels, ...rest } = load;
  const store = await openMsgpackStore(await sourceOf(), { ...storeOptions, openBase: baseOf(from, http, signal) });
  try {
    // One request brings what follows each other in the file, where one for each block would wait for the one before.
    // Who reads a block that is on its way waits for it, and gets its error.
    if ('url' in from) store.fetchAhead((http.keepBytes ?? keepBytes) / 2, signal).catch(() => {});
    const model = await loadModel(store, {
      ...rest,
      engine: { threads, kernels, wasm },
      lazyEmbeddings: true,
      signal,
      onProgress: ({ done, total }) => onProgress({ done, total, of: 'layers' }),
    });
    // Read while the first call is on its way. A model without a tokenizer takes tokens alone.
    model.tokenizer().catch(() => {});
    return { model, store };
  } catch (error) {
    await store.close();
    throw error;
  }

  async function sourceOf() {
    if ('bytes' in from) return from.bytes;
    if ('blob' in from) return blobSource(from.blob);
    return httpSource(from.url, {
      ...http,
      signal,
      onProgress: ({ done, total }) => onProgress({ done, total, of: 'bytes' }),
    });
  }
}

/** Opens the bases of a file that came from a URL: their names are addresses, relative to the file's. */
function baseOf(from: OpenRequest['from'], http: OpenRequest['http'], signal: AbortSignal): OpenBase | undefined {
  if (!('url' in from)) return undefined;
  return async (name) => {
    const url = new URL(name, from.url);
    // Headers can hold a password, and whoever made the file chose the address.
    const { headers, size, ...rest } = http;
    return httpSource(url, { ...rest, ...(url.origin === new URL(from.url).origin && { headers }), signal });
  };
}
