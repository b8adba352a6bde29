import {
  answer,
  type BertModel,
  classify,
  classifyTokens,
  embed,
  type LoadModelOptions,
  loadModel,
} from '@prune/bert-infer';
import { checkAborted, isPruneError, PruneError, type TensorStore } from '@prune/core';
import { type OpenBase, openMsgpackStore } from '@prune/msgpack-store';
import { blobSource } from '../blob-source.js';
import type { CacheLike } from '../cache/cache-like.js';
import { openCache } from '../cache/open-cache.js';
import type { CachedSource } from '../cached-file.js';
import { cachedSource } from '../cached-source.js';
import { DEFAULT_HTTP_SOURCE_OPTIONS, type HttpSourceOptions, httpSource } from '../http-source.js';
import { type BackgroundWork, inBackground } from './in-background.js';
import type { CallProgress, ModelFacts, OpenRequest, Reply, Request } from './messages.js';
import { nativeInflate } from './native-inflate.js';
import { sentError } from './sent-error.js';
import { holdLock } from './worker-life.js';

const { keepBytes } = DEFAULT_HTTP_SOURCE_OPTIONS;
/** Bytes that are fetched at a time in the background: a call that comes meanwhile stops what is on its way. */
const REST_BYTES = 2 ** 19;

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
  /** The files that are kept in a cache: the model's own, and its bases. */
  readonly files: readonly CachedSource[];
}

/** Options of {@link serveModel}. */
export interface ServeModelOptions {
  /** What gives the kernels, where the worker's file does not hold them. */
  readonly wasm?: EngineOptions['wasm'];
  /** Where models are kept. Default: a cache of Cache Storage, where there is one. */
  readonly cache?: CacheLike;
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
 * can be stopped, also before its turn.
 */
export function serveModel(port: WorkerPort, options: ServeModelOptions = {}): void {
  let opened: Opened | undefined;
  let rest: { readonly id: number; readonly work: BackgroundWork } | undefined;
  let last: Promise<unknown> = Promise.resolve();
  const running = new Map<number, AbortController>();
  const send = (reply: Reply) => port.postMessage(reply);

  async function run(id: number, call: string, args: readonly unknown[], signal: AbortSignal): Promise<unknown> {
    checkAborted(signal);
    const watch: Watch = { signal, onProgress: ({ done, total, of }) => send({ id, progress: { done, total, of } }) };
    if (call === 'open') {
      const request = args[0] as OpenRequest;
      if (request.lock !== undefined) holdLock(request.lock, () => send({ alive: 'locked' }));
      opened = await openedAnew(request, watch, options);
      if (request.prefetch) rest = { id, work: fetchRest(opened, watch) };
      const { config, profile, info, sentence, heads } = opened.model;
      return { config, profile, info, sentence, heads } satisfies ModelFacts;
    }
    if (call === 'close') {
      const closing = opened;
      opened = undefined;
      rest?.work.stop();
      if (closing !== undefined) await close(closing);
      return undefined;
    }
    if (opened === undefined || !Object.hasOwn(CALLS, call)) {
      throw new PruneError('invalid-argument', {
        where: 'worker',
        what: 'a call that the worker does not know',
        got: call,
      });
    }
    const { model, files } = opened;
    try {
      return await CALLS[call](model, args, watch);
    } catch (error) {
      if (!(await wereCached(error, files))) throw error;
      return CALLS[call](model, args, watch);
    }
  }

  port.addEventListener('message', ({ data }) => {
    const request = data as Request;
    if ('ask' in request) {
      send({ alive: 'yes' });
      return;
    }
    if ('abort' in request) {
      running.get(request.abort)?.abort();
      if (rest?.id === request.abort) rest.work.stop();
      return;
    }
    const { id, call, args } = request;
    const controller = new AbortController();
    running.set(id, controller);
    rest?.work.pause();
    last = last
      .then(() => run(id, call, args, controller.signal))
      .then(
        (value) => send({ id, value, info: opened?.model.info }),
        (error) => send({ id, error: sentError(error) }),
      )
      .finally(() => {
        running.delete(id);
        if (running.size === 0) rest?.work.resume();
      });
  });
}

/**
 * Whether the error may come from bytes that were wrong when they were kept: then they are not kept any longer, and
 * the work can be tried once more. What has just come and is wrong is not kept either.
 */
async function wereCached(error: unknown, files: readonly CachedSource[]): Promise<boolean> {
  if (!isPruneError(error, 'corrupt')) return false;
  const wereCached = files.some(({ hasUsedCache }) => hasUsedCache);
  for (const file of files) await file.forget();
  return wereCached;
}

/** Whether the server has the files that are read. */
async function areConfirmed(files: readonly CachedSource[]): Promise<boolean> {
  const answers = await Promise.all(files.map(({ confirmed }) => confirmed));
  return answers.every((isConfirmed) => isConfirmed);
}

/**
 * Opens a model with what is kept of it, while the server is asked whether that is still its file; and once more if it
 * is not, or if what was kept is wrong.
 */
async function openedAnew(request: OpenRequest, watch: Watch, options: ServeModelOptions): Promise<Opened> {
  const files: CachedSource[] = [];
  try {
    const opened = await open(request, watch, { ...options, early: true }, files);
    try {
      if (await areConfirmed(files)) return opened;
    } catch (error) {
      await close(opened);
      throw error;
    }
    await close(opened);
  } catch (error) {
    if ((await areConfirmed(files)) && !(await wereCached(error, files))) throw error;
  }
  return open(request, watch, { ...options, early: false }, []);
}

async function close({ model, store }: Opened): Promise<void> {
  await model.close();
  await store.close();
}

/** Fetches what is missing of the files, a little at a time; without a cache, the tables of embeddings. */
function fetchRest({ model, files }: Opened, { onProgress }: Watch): BackgroundWork {
  return inBackground(async (signal) => {
    if (files.length === 0) {
      await model.loadEmbeddings({ signal });
      return false;
    }
    for (const file of files) {
      const ranges = file.missing(REST_BYTES);
      if (ranges.length === 0) continue;
      await file.readRanges(ranges, signal);
      return true;
    }
    const [{ size }] = files;
    onProgress({ done: size, total: size, of: 'bytes' });
    return false;
  });
}

/** `files` gets the files that are kept in a cache. */
async function open(
  request: OpenRequest,
  { signal, onProgress }: Watch,
  { wasm, cache: givenCache, early }: ServeModelOptions & { readonly early: boolean },
  files: CachedSource[],
): Promise<Opened> {
  const { from, load, http, store: storeOptions } = request;
  const { threads, kernels, ...rest } = load;
  const cache = await cacheOf(request, givenCache);
  const openUrl = async (url: string | URL, options: HttpSourceOptions, integrity?: string) => {
    if (cache === undefined) return httpSource(url, options);
    const source = await cachedSource(url, { ...options, cache, integrity, early });
    if ('forget' in source) files.push(source);
    return source;
  };
  const openBase = baseOf(from, http, (url, options) => openUrl(url, { ...options, signal }));
  const store = await openMsgpackStore(await sourceOf(), { inflate: nativeInflate(), ...storeOptions, openBase });
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
    return { model, store, files };
  } catch (error) {
    await store.close();
    throw error;
  }

  async function sourceOf() {
    if ('bytes' in from) return from.bytes;
    if ('blob' in from) return blobSource(from.blob);
    const watched: HttpSourceOptions = {
      ...http,
      signal,
      onProgress: ({ done, total }) => onProgress({ done, total, of: 'bytes' }),
    };
    return openUrl(from.url, watched, storeOptions.integrity);
  }
}

/** Opens the bases of a file that came from a URL: their names are addresses, relative to the file's. */
function baseOf(
  from: OpenRequest['from'],
  http: OpenRequest['http'],
  open: (url: URL, options: HttpSourceOptions) => ReturnType<OpenBase>,
): OpenBase | undefined {
  if (!('url' in from)) return undefined;
  return async (name) => {
    const url = new URL(name, from.url);
    // Headers can hold a password, and whoever made the file chose the address.
    const { headers, size, version, ...rest } = http;
    return open(url, { ...rest, ...(url.origin === new URL(from.url).origin && { headers }) });
  };
}

/** Where the file of a URL is kept; `undefined`: nowhere. */
async function cacheOf({ from, cache }: OpenRequest, given: CacheLike | undefined): Promise<CacheLike | undefined> {
  return 'url' in from && cache !== undefined ? (given ?? (await openCache(cache))) : undefined;
}
