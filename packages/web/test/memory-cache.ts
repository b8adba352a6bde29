import type { CacheLike } from '../src/cache/cache-like.js';

/** A cache in memory, which can be full, broken and damaged. */
export interface MemoryCache extends CacheLike {
  /** The bodies by their keys. */
  readonly entries: Map<string, Uint8Array>;
  /** What was asked of it: `match`, `put` or `delete`, and the key. */
  readonly log: [call: string, key: string][];
  /** Bytes that it takes; more is a `QuotaExceededError`. */
  quota: number;
  /** Whether every call fails. */
  isBroken: boolean;
}

/** Makes an empty one. */
export function memoryCache(): MemoryCache {
  const entries = new Map<string, Uint8Array>();
  const log: MemoryCache['log'] = [];
  function note(call: string, key: string) {
    log.push([call, key]);
    if (cache.isBroken) throw new DOMException('the cache is broken', 'UnknownError');
  }
  const cache: MemoryCache = {
    entries,
    log,
    quota: Number.POSITIVE_INFINITY,
    isBroken: false,
    async match(key) {
      note('match', key);
      const bytes = entries.get(key);
      return bytes && new Response(bytes.slice());
    },
    async put(key, response) {
      note('put', key);
      const bytes = new Uint8Array(await (response as Response).arrayBuffer());
      const others = [...entries].reduce((sum, [other, { length }]) => sum + (other === key ? 0 : length), 0);
      if (others + bytes.length > cache.quota) throw new DOMException('full', 'QuotaExceededError');
      entries.set(key, bytes);
    },
    async delete(key) {
      note('delete', key);
      return entries.delete(key);
    },
  };
  return cache;
}
