import { checkAborted, isPruneError } from '@prune/core';
import { PROLOGUE_BYTES, readIntegrity } from '@prune/msgpack-store';
import { CacheEntries } from './cache/cache-entries.js';
import type { CacheLike } from './cache/cache-like.js';
import { readKnownUrl } from './cache/known-url.js';
import { StoredContent } from './cache/stored-content.js';
import { CachedFile, type CachedFileOptions, type CachedSource, type Check } from './cached-file.js';
import { httpHead } from './http-head.js';
import {
  DEFAULT_HTTP_SOURCE_OPTIONS,
  type HttpSource,
  type HttpSourceOptions,
  httpSource,
  httpTarget,
} from './http-source.js';
import { isKnownFile, type KnownFile } from './known-file.js';
import type { UrlLike } from './resolved-url.js';

/** Options of {@link cachedSource}: those of `httpSource` that it does not find out itself, and the cache. */
export interface CachedSourceOptions extends Omit<HttpSourceOptions, 'size' | 'version'> {
  readonly cache: CacheLike;
  /** The `integrity` that the file must have. What the cache has of it is then used without asking the server. */
  readonly integrity?: string;
  /**
   * Gives the source before the server has said whether its file is still the one in the cache, for work that can be
   * done again: `confirmed` says it. Default: false.
   */
  readonly early?: boolean;
}

/**
 * Milliseconds that the server has to say whether a file is still the one in the cache, which is used without an answer
 * after that, as it is without a network.
 */
const CHECK_TIMEOUT = 5000;

/**
 * A `.prune` file on a server as a byte source whose bytes are kept in a cache, under the file's `integrity`: versions
 * of a file never mix, and two addresses of the same file share it. What is in the cache is checked by CRC-32 and is
 * not fetched; a damaged entry is fetched again, and a cache that fails is not used any further. One request finds out
 * whether the file is still the one that the address had; with `integrity`, not even that is needed. A file that has no
 * `integrity` (version 1, another format) is not kept.
 * Throws what `httpSource` throws, and `mismatch` for a file that has another integrity when its missing bytes are
 * needed.
 */
export async function cachedSource(
  url: string | UrlLike,
  options: CachedSourceOptions,
): Promise<CachedSource | HttpSource> {
  const { cache, integrity, early = false, ...others } = options;
  // A user name and a password in the URL become a header, and are no part of what is stored.
  const { address, headers } = httpTarget(url, others);
  const http = { ...others, headers };
  const entries = new CacheEntries(cache);
  const stored = await storedFile(entries, address, integrity, http);
  if (stored !== undefined && (early || (await stored.check).isSame)) {
    return new CachedFile({ ...stored, url: address, entries, http }).source();
  }
  const source = await httpSource(address, http);
  try {
    const found = await identified(source);
    checkAborted(http.signal);
    // Another one than is wanted is an error of whoever opens the file, who says it better.
    if (found === undefined || found !== (integrity ?? found)) return source;
    const content = await StoredContent.open(entries, found);
    if ((content.size ?? source.size) !== source.size) return source;
    const check = Promise.resolve({ isSame: true, version: source.version });
    return new CachedFile({ content, size: source.size, check, source, url: address, entries, http }).source();
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** The integrity of a file; `undefined` where it has none, or its beginning or end is wrong. */
async function identified(source: HttpSource): Promise<string | undefined> {
  try {
    return await readIntegrity(source);
  } catch (error) {
    if (isPruneError(error, 'aborted')) throw error;
    // Whoever opens the file finds the same, and says where.
    return undefined;
  }
}

/** What the cache has of the file that the address has; `undefined` where the server must be asked for all of it. */
async function storedFile(
  entries: CacheEntries,
  address: URL,
  integrity: string | undefined,
  http: HttpSourceOptions,
): Promise<Pick<CachedFileOptions, 'content' | 'size' | 'check'> | undefined> {
  if (integrity !== undefined) {
    const content = await StoredContent.open(entries, integrity);
    return content.size === undefined
      ? undefined
      : { content, size: content.size, check: Promise.resolve({ isSame: true }) };
  }
  const known = await readKnownUrl(entries, address.href);
  if (known === undefined) return undefined;
  const check = checked(address, { ...known, head: Uint8Array.from(known.head) }, http);
  // An error of it is for whoever waits for it.
  check.catch(() => {});
  const content = await StoredContent.open(entries, known.integrity);
  return content.size === known.size ? { content, size: known.size, check } : undefined;
}

/** Asks the server whether it has the file that is known. */
async function checked(address: URL, known: KnownFile, http: HttpSourceOptions): Promise<Check> {
  try {
    // Half of the timeout is for one attempt.
    const timeout = Math.min(2 * CHECK_TIMEOUT, http.timeout ?? DEFAULT_HTTP_SOURCE_OPTIONS.timeout);
    const head = await httpHead(address, PROLOGUE_BYTES, { ...http, retries: 0, timeout });
    return { isSame: head !== undefined && isKnownFile(head, known), version: head?.version };
  } catch (error) {
    // Without a network, what is here is used. What is missing is asked for when it is needed.
    if (isPruneError(error, 'io')) return { isSame: true };
    throw error;
  }
}
