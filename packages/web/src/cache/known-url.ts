import type { HttpVersion } from '../http/http-version.js';
import type { CacheEntries } from './cache-entries.js';
import { StoredContent } from './stored-content.js';

/** Which file an address had when it was last asked. */
export interface KnownUrl {
  readonly integrity: string;
  readonly size: number;
  /** The file's first bytes. */
  readonly head: readonly number[];
  readonly version: HttpVersion;
}

/** What the cache knows of an address. */
export async function readKnownUrl(entries: CacheEntries, url: string): Promise<KnownUrl | undefined> {
  const json = (await entries.json(keyOf(url))) as Partial<KnownUrl> | undefined;
  const isRight = typeof json?.integrity === 'string' && Array.isArray(json.head) && typeof json.version === 'object';
  return isRight ? (json as KnownUrl) : undefined;
}

/**
 * Notes which file an address has. What it had before is removed, unless another address has it. Throws what the cache
 * throws.
 */
export async function noteKnownUrl(entries: CacheEntries, url: string, known: KnownUrl): Promise<void> {
  await entries.changing(keyOf(url), async () => {
    const before = await readKnownUrl(entries, url);
    if (JSON.stringify(before) === JSON.stringify(known)) return;
    if (before !== undefined && before.integrity !== known.integrity) {
      await (await StoredContent.open(entries, before.integrity)).leave(url);
    }
    await (await StoredContent.open(entries, known.integrity)).refer(url);
    await entries.putJson(keyOf(url), known);
  });
}

function keyOf(url: string): string {
  return `url/${encodeURIComponent(url)}`;
}
