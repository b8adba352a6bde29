import { type ByteRange, crc32 } from '@prune/core';
import type { CacheEntries } from './cache-entries.js';
import { RangeMap } from './range-map.js';

/** Bytes of a file that are one entry of the cache: those of several ranges, one after the other. */
export interface StoredPiece {
  readonly key: string;
  /** In ascending order, without overlaps. */
  readonly ranges: readonly ByteRange[];
  /** Of all bytes. */
  readonly crc32: number;
}

/** Bytes of a file, from `start` on. */
export interface Chunk {
  readonly start: number;
  readonly bytes: Uint8Array;
}

/** What of a file is in the cache. */
interface Index {
  readonly size: number;
  /** Addresses whose file this is. */
  readonly urls: readonly string[];
  readonly pieces: readonly StoredPiece[];
}

/**
 * Bytes of a piece from which on it is not put together with others. One look-up costs some milliseconds whatever it
 * brings, so small pieces are merged; a text needs a few rows of each piece, so large ones would be read for little.
 */
const FULL_PIECE = 2 ** 20;

/**
 * A file in a cache, by its `integrity`, whatever its address: one entry that says what is there, and an entry for each
 * piece. Pages that are open at the same time may change it; what another page has removed is read as missing.
 */
export class StoredContent {
  readonly integrity: string;
  readonly #entries: CacheEntries;
  readonly #key: string;
  #index: Index | undefined;

  private constructor(entries: CacheEntries, integrity: string) {
    this.integrity = integrity;
    this.#entries = entries;
    this.#key = `content/${encodeURIComponent(integrity)}`;
  }

  static async open(entries: CacheEntries, integrity: string): Promise<StoredContent> {
    const content = new StoredContent(entries, integrity);
    await content.refresh();
    return content;
  }

  /** `undefined` where nothing is stored. */
  get size(): number | undefined {
    return this.#index?.size;
  }

  get pieces(): readonly StoredPiece[] {
    return this.#index?.pieces ?? [];
  }

  /** Reads what is there once more. */
  async refresh(): Promise<void> {
    this.#index = checkedIndex(await this.#entries.json(this.#key));
  }

  /** The bytes of a piece; `undefined` where the entry is damaged or missing. */
  async read(piece: StoredPiece): Promise<Uint8Array | undefined> {
    const bytes = await this.#entries.bytes(piece.key);
    return bytes?.length === bytesOfPiece(piece) && crc32(bytes) === piece.crc32 ? bytes : undefined;
  }

  /**
   * Stores chunks, which do not overlap, as one piece, together with small pieces that are there: each piece is then at
   * least about twice as large as the next one, so that there are few of them, however many visits each stored a
   * little. Throws what the cache throws.
   */
  async add(size: number, url: string, chunks: readonly Chunk[]): Promise<void> {
    await this.#change(async (index) => {
      const { urls = [], pieces = [] } = index ?? {};
      const rest = [...pieces];
      const merged = new RangeMap<Chunk>();
      for (const chunk of chunks) merged.add(chunk.start, chunk.start + chunk.bytes.length, chunk);
      const absorbed: StoredPiece[] = [];
      for (let last = rest.at(-1); last !== undefined; last = rest.at(-1)) {
        const length = bytesOfPiece(last);
        if (length >= 2 * merged.bytes || length + merged.bytes > FULL_PIECE) break;
        for (const chunk of chunksOf(last, await this.read(last))) {
          merged.add(chunk.start, chunk.start + chunk.bytes.length, chunk);
        }
        absorbed.push(last);
        rest.pop();
      }
      const { piece, bytes } = pieceOf(this.#key, merged, size);
      await this.#entries.put(piece.key, bytes);
      const next = { size, urls: urls.includes(url) ? urls : [...urls, url], pieces: [...rest, piece] };
      return { next, unused: absorbed.filter(({ key }) => key !== piece.key) };
    });
  }

  /** Notes that this is the file of an address. */
  async refer(url: string): Promise<void> {
    await this.#change(async (index) =>
      index === undefined || index.urls.includes(url)
        ? { next: index, unused: [] }
        : { next: { ...index, urls: [...index.urls, url] }, unused: [] },
    );
  }

  /** Notes that this is not the file of an address any more. Content without an address is removed. */
  async leave(url: string): Promise<void> {
    await this.#change(async (index) => {
      const urls = index?.urls.filter((one) => one !== url) ?? [];
      return index === undefined || urls.length === 0
        ? { next: undefined, unused: index?.pieces ?? [] }
        : { next: { ...index, urls }, unused: [] };
    });
  }

  /** Removes a damaged piece. It is gone from here also when the cache fails. */
  async drop(piece: StoredPiece): Promise<void> {
    const without = (index: Index | undefined) =>
      index && { ...index, pieces: index.pieces.filter(({ key }) => key !== piece.key) };
    try {
      await this.#change(async (index) => ({ next: without(index), unused: [piece] }));
    } catch {
      this.#index = without(this.#index);
    }
  }

  async remove(): Promise<void> {
    await this.#change(async (index) => ({ next: undefined, unused: index?.pieces ?? [] }));
  }

  /** Pieces are deleted last, so that no index lists a piece that is not there. */
  async #change(
    work: (index: Index | undefined) => Promise<{ next: Index | undefined; unused: readonly StoredPiece[] }>,
  ): Promise<void> {
    await this.#entries.changing(this.#key, async () => {
      await this.refresh();
      const { next, unused } = await work(this.#index);
      if (next === undefined) await this.#entries.delete(this.#key);
      else if (next !== this.#index) await this.#entries.putJson(this.#key, next);
      this.#index = next;
      for (const { key } of unused) await this.#entries.delete(key);
    });
  }
}

/** The length of a piece. */
export function bytesOfPiece({ ranges }: StoredPiece): number {
  return ranges.reduce((sum, [start, end]) => sum + end - start, 0);
}

/** The ranges of a piece with their bytes; none of a damaged piece. */
function chunksOf({ ranges }: StoredPiece, bytes: Uint8Array | undefined): Chunk[] {
  let at = 0;
  return bytes === undefined
    ? []
    : ranges.map(([start, end]) => {
        at += end - start;
        return { start, bytes: bytes.subarray(at - (end - start), at) };
      });
}

function pieceOf(key: string, chunks: RangeMap<Chunk>, size: number): { piece: StoredPiece; bytes: Uint8Array } {
  const bytes = new Uint8Array(chunks.bytes);
  const ranges: [start: number, end: number][] = [];
  let at = 0;
  for (const { start, end, value } of chunks.within(0, size)) {
    bytes.set(value.bytes.subarray(start - value.start, end - value.start), at);
    at += end - start;
    const last = ranges.at(-1);
    if (last?.[1] === start) last[1] = end;
    else ranges.push([start, end]);
  }
  const crc = crc32(bytes);
  // Named by what it holds: pages that store the same at the same time write the same entry.
  return { piece: { key: `${key}/${ranges[0][0]}-${bytes.length}-${crc}`, ranges, crc32: crc }, bytes };
}

/** Its checksum is right, so this finds what another release of this package has written. */
function checkedIndex(json: unknown): Index | undefined {
  const { size, urls, pieces } = (json ?? {}) as Partial<Index>;
  const isRange = ([start, end]: ByteRange, i: number, all: readonly ByteRange[]) =>
    Number.isSafeInteger(start) && start >= (i === 0 ? 0 : all[i - 1][1]) && end > start && end <= size!;
  const isPiece = ({ key, ranges, crc32: crc }: StoredPiece) =>
    typeof key === 'string' && typeof crc === 'number' && ranges.every(isRange);
  const isRight = Number.isSafeInteger(size) && Array.isArray(urls) && Array.isArray(pieces) && pieces.every(isPiece);
  return isRight ? (json as Index) : undefined;
}
