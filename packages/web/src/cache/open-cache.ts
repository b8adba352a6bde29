import type { CacheLike } from './cache-like.js';

interface StorageGlobals {
  readonly caches?: { open?(name: string): Promise<CacheLike> };
}

/**
 * Opens a cache of the browser's Cache Storage; `undefined` where there is none: in Node, in pages of `file:` and in
 * those of `http:` other than localhost, and where the browser does not let the page store anything.
 */
export async function openCache(name: string): Promise<CacheLike | undefined> {
  try {
    return await (globalThis as StorageGlobals).caches?.open?.(name);
  } catch {
    return undefined;
  }
}
