/** What {@link CacheLike} gives: the part of a `Response` that is used here. */
export interface CachedResponse {
  arrayBuffer(): Promise<ArrayBuffer>;
}

/**
 * Where responses are kept by their address: a `Cache` of the browser's Cache Storage is one, and so is
 * `caches.default` of an edge runtime. Our own type, because programs for Node often leave out the DOM library.
 */
export interface CacheLike {
  match(key: string): Promise<CachedResponse | undefined>;
  /** `response` is a `Response`. */
  put(key: string, response: object): Promise<unknown>;
  delete(key: string): Promise<unknown>;
}
