import { crc32 } from '@prune/core';
import type { CacheLike } from './cache-like.js';

/** Keys are addresses. No server has a name that ends in `.invalid` (RFC 2606). The number is that of this layout. */
const ADDRESS = 'https://prune.invalid/1/';
/** Caches that expire by these headers, such as those of edge runtimes, keep an entry as long as they can. */
const HEADERS = { 'content-type': 'application/octet-stream', 'cache-control': 'public, max-age=31536000, immutable' };

interface LockGlobals {
  readonly navigator?: { readonly locks?: { request<T>(name: string, work: () => Promise<T>): Promise<T> } };
}

/** The entries of a cache. Reading never fails: what cannot be read, or is damaged, is not there. */
export class CacheEntries {
  readonly #cache: CacheLike;

  constructor(cache: CacheLike) {
    this.#cache = cache;
  }

  async bytes(key: string): Promise<Uint8Array | undefined> {
    try {
      const response = await this.#cache.match(ADDRESS + key);
      return response && new Uint8Array(await response.arrayBuffer());
    } catch {
      return undefined;
    }
  }

  /** What {@link putJson} stored. */
  async json(key: string): Promise<unknown> {
    const bytes = await this.bytes(key);
    if (bytes === undefined || bytes.length < 4) return undefined;
    const text = bytes.subarray(4);
    if (new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true) !== crc32(text)) return undefined;
    try {
      return JSON.parse(new TextDecoder().decode(text));
    } catch {
      return undefined;
    }
  }

  /** Throws whatever the cache throws, where it is full for example. */
  async put(key: string, bytes: Uint8Array): Promise<void> {
    await this.#cache.put(ADDRESS + key, new Response(bytes as Uint8Array<ArrayBuffer>, { headers: HEADERS }));
  }

  /** Stores JSON behind its CRC-32. */
  async putJson(key: string, value: unknown): Promise<void> {
    const text = new TextEncoder().encode(JSON.stringify(value));
    const bytes = new Uint8Array(4 + text.length);
    new DataView(bytes.buffer).setUint32(0, crc32(text), true);
    bytes.set(text, 4);
    await this.put(key, bytes);
  }

  /** An entry that cannot be deleted stays. */
  async delete(key: string): Promise<void> {
    await this.#cache.delete(ADDRESS + key).catch(() => {});
  }

  /** Reads and writes an entry without another page between, where there are Web Locks. */
  async changing<T>(key: string, work: () => Promise<T>): Promise<T> {
    const { locks } = (globalThis as LockGlobals).navigator ?? {};
    return locks === undefined ? work() : locks.request(ADDRESS + key, work);
  }
}
