export { type BlobLike, blobSource } from './blob-source.js';
export type { CachedResponse, CacheLike } from './cache/cache-like.js';
export type { CachedSource } from './cached-file.js';
export { type CachedSourceOptions, cachedSource } from './cached-source.js';
export type { HttpBody, HttpFetch, HttpRequest, HttpResponse } from './http/http-fetch.js';
export type { HttpVersion } from './http/http-version.js';
export { DEFAULT_HTTP_SOURCE_OPTIONS, type HttpSource, type HttpSourceOptions, httpSource } from './http-source.js';
export {
  DEFAULT_CACHE_NAME,
  type OpenedModel,
  type OpenModelOptions,
  type OpenProgress,
  openModel,
  type Watched,
} from './open-model.js';
export type { UrlLike } from './resolved-url.js';
export type { LoadOptions, StoreOptions } from './worker/messages.js';
export type { ModelWorker } from './worker/model-worker.js';
