import { type ByteRange, checkAborted, type Progress, PruneError, type RandomAccess, untilAborted } from '@prune/core';
import { PROLOGUE_BYTES, readIntegrity } from '@prune/msgpack-store';
import type { CacheEntries } from './cache/cache-entries.js';
import { noteKnownUrl } from './cache/known-url.js';
import { type MappedRange, RangeMap } from './cache/range-map.js';
import { bytesOfPiece, type Chunk, type StoredContent, type StoredPiece } from './cache/stored-content.js';
import type { HttpVersion } from './http/http-version.js';
import { shownUrl } from './http/shown-url.js';
import { within } from './http/within.js';
import { httpHead } from './http-head.js';
import { DEFAULT_HTTP_SOURCE_OPTIONS, type HttpSource, type HttpSourceOptions, httpSource } from './http-source.js';
import { isKnownFile } from './known-file.js';

/** A file on a server, of which a cache keeps what was read. */
export interface CachedSource extends Required<RandomAccess> {
  /**
   * Whether the server has the file that is read. `false`: open it again. Rejects where the server says that it has
   * no such file.
   */
  readonly confirmed: Promise<boolean>;
  /** Whether a read was answered from the cache. */
  readonly hasUsedCache: boolean;
  /** Ranges of up to so many bytes that no read has had yet, in order; none where everything is here. */
  missing(bytes: number): ByteRange[];
  /** Removes the file from the cache and reads from the server: for bytes that turned out to be wrong. */
  forget(): Promise<void>;
}

/** Whether the server has the file that is in the cache, and in which version, if it has said one. */
export interface Check {
  readonly isSame: boolean;
  readonly version?: HttpVersion;
}

/** Milliseconds after the last read until what came is stored, so that what is read together becomes one entry. */
const STORE_AFTER = 500;
/** Bytes that are stored at once, whether reads go on or not. */
const STORE_BYTES = 2 ** 21;
/** Milliseconds that closing waits for the cache. */
const CLOSE_TIMEOUT = 2000;

/** Options of {@link CachedFile}. */
export interface CachedFileOptions {
  readonly content: StoredContent;
  readonly size: number;
  /** The file on the server, where it is open. */
  readonly source?: HttpSource;
  readonly check: Promise<Check>;
  readonly url: URL;
  readonly entries: CacheEntries;
  readonly http: HttpSourceOptions;
}

/** Where bytes of the file are: in memory, or in a piece of the cache. A byte is there at its offset plus `shift`. */
type Place =
  | { readonly bytes: Uint8Array; readonly shift: number }
  | { readonly piece: StoredPiece; readonly shift: number };

/** Reads ranges of a file from the cache and from the server, and stores what came from the server. */
export class CachedFile {
  readonly #options: CachedFileOptions;
  readonly #name: string;
  /** What need not be fetched. */
  #held = new RangeMap<Place>();
  /** What has come and is not stored yet. */
  #pending: Chunk[] = [];
  #pendingBytes = 0;
  /** What is being stored. */
  #storing: readonly Chunk[] = [];
  /** Pieces that were read from the cache; the one used last is the last. */
  readonly #pieces = new Map<string, { readonly bytes: Promise<Uint8Array | undefined>; readonly length: number }>();
  #server: Promise<HttpSource> | undefined;
  /** Bytes that were in the cache when the server was first asked. */
  #heldBefore = 0;
  /** Whether the cache takes what it is given. */
  #canStore = true;
  #isNoted = false;
  #reading = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stored: Promise<void> = Promise.resolve();
  #hasUsedCache = false;
  #closed = false;

  constructor(options: CachedFileOptions) {
    this.#options = options;
    this.#name = options.source?.name ?? shownUrl(options.url);
    this.#map();
    if (options.source === undefined) this.#heldBefore = this.#held.bytes;
    else this.#server = Promise.resolve(options.source);
  }

  source(): CachedSource {
    const file = this;
    const confirmed = this.#options.check.then(({ isSame }) => isSame);
    confirmed.catch(() => {});
    return {
      name: this.#name,
      size: this.#options.size,
      confirmed,
      get hasUsedCache() {
        return file.#hasUsedCache;
      },
      read: async (offset, length) => (await this.#readRanges([[offset, offset + length]]))[0],
      readRanges: (ranges, signal) => this.#readRanges(ranges, signal),
      missing: (bytes) => this.#missing(bytes),
      forget: () => this.#forget(),
      close: () => this.#close(),
    };
  }

  async #readRanges(ranges: readonly ByteRange[], signal?: AbortSignal): Promise<Uint8Array[]> {
    checkAborted(signal);
    this.#checkOpen();
    for (const [start, end] of ranges) this.#checkRange(start, end);
    this.#reading++;
    try {
      return await untilAborted(this.#gather(ranges, signal), signal);
    } finally {
      this.#reading--;
      this.#storeSoon();
    }
  }

  async #gather(ranges: readonly ByteRange[], signal: AbortSignal | undefined): Promise<Uint8Array[]> {
    for (;;) {
      // Taken down before anything is waited for, because what is held changes meanwhile.
      const places = ranges.map(([start, end]) => this.#held.within(start, end));
      const wanted = new RangeMap<undefined>();
      for (const [start, end] of ranges) {
        for (const [from, to] of this.#held.missing(start, end)) wanted.add(from, to, undefined);
      }
      const pieces = new Set(places.flat().flatMap(({ value }) => ('piece' in value ? value.piece : [])));
      const [bodies, fetched] = await Promise.all([this.#load(pieces), this.#fetch(wanted, signal)]);
      if (bodies === undefined) continue;
      return ranges.map(([start, end], i) =>
        joined([...places[i], ...fetched.within(start, end)], start, end, (place) =>
          'piece' in place ? bodies.get(place.piece)! : place.bytes,
        ),
      );
    }
  }

  /** Pieces of the cache. `undefined` if one is damaged: then it is not among what is held any more. */
  async #load(pieces: ReadonlySet<StoredPiece>): Promise<Map<StoredPiece, Uint8Array> | undefined> {
    const { content } = this.#options;
    const bodies = new Map<StoredPiece, Uint8Array>();
    let isWhole = true;
    await Promise.all(
      [...pieces].map(async (piece) => {
        const bytes = await this.#piece(piece);
        if (bytes === undefined) {
          isWhole = false;
          this.#pieces.delete(piece.key);
          await content.drop(piece);
        } else bodies.set(piece, bytes);
      }),
    );
    if (pieces.size > 0) this.#hasUsedCache = true;
    if (isWhole) return bodies;
    // Another page may have put pieces together: they are read under their new names then.
    this.#map();
    return undefined;
  }

  #piece(piece: StoredPiece): Promise<Uint8Array | undefined> {
    const { key } = piece;
    const loaded = this.#pieces.get(key) ?? {
      bytes: this.#options.content.read(piece),
      length: bytesOfPiece(piece),
    };
    this.#pieces.delete(key);
    this.#pieces.set(key, loaded);
    const { keepBytes = DEFAULT_HTTP_SOURCE_OPTIONS.keepBytes } = this.#options.http;
    let sum = [...this.#pieces.values()].reduce((sum, { length }) => sum + length, 0);
    for (const [oldest, { length }] of this.#pieces) {
      if (sum <= keepBytes || oldest === key) break;
      sum -= length;
      this.#pieces.delete(oldest);
    }
    return loaded.bytes;
  }

  async #fetch(wanted: RangeMap<undefined>, signal: AbortSignal | undefined): Promise<RangeMap<Place>> {
    const fetched = new RangeMap<Place>();
    const ranges = wanted.within(0, this.#options.size).map(({ start, end }): ByteRange => [start, end]);
    if (ranges.length === 0) return fetched;
    const source = await this.#opened();
    const parts = await source.readRanges(ranges, signal);
    for (const [i, [start, end]] of ranges.entries()) {
      fetched.add(start, end, { bytes: parts[i], shift: -start });
      this.#keep(start, parts[i]);
    }
    // Where there are no ranges, the next visit would download everything for one row that is not here.
    if (source.isWhole) {
      for (const [start, end] of this.#held.missing(0, this.#options.size)) {
        this.#keep(start, await source.read(start, end - start));
      }
    }
    return fetched;
  }

  /** The file on the server, which is opened when something of it is missing. */
  #opened(): Promise<HttpSource> {
    if (this.#server === undefined) {
      const opening = this.#open();
      this.#server = opening;
      opening.catch(() => {
        // The next read tries again.
        if (this.#server === opening) this.#server = undefined;
      });
    }
    return this.#server;
  }

  async #open(): Promise<HttpSource> {
    const { url, size, http, content, check } = this.#options;
    const { onProgress } = http;
    const watched: HttpSourceOptions = {
      ...http,
      onProgress: onProgress && ((progress) => onProgress(this.#progress(progress))),
    };
    const { isSame, version } = await check;
    if (!isSame) {
      throw new PruneError('mismatch', {
        where: this.#name,
        what: 'the file on the server has changed since it was cached',
        wanted: content.integrity,
      });
    }
    if (version !== undefined) return httpSource(url, { ...watched, size, version });
    const known = await this.#prologue();
    const head = known && (await httpHead(url, known.length, http));
    if (known && head && isKnownFile(head, { head: known, size })) {
      return httpSource(url, { ...watched, size, version: head.version });
    }
    const source = await httpSource(url, watched);
    try {
      const got = await readIntegrity(source);
      if (got === content.integrity) return source;
      throw new PruneError('mismatch', {
        where: source.name,
        what: 'the file on the server is another one than in the cache',
        got,
        wanted: content.integrity,
      });
    } catch (error) {
      await source.close();
      throw error;
    }
  }

  /** The file's first bytes, from the cache. */
  async #prologue(): Promise<Uint8Array | undefined> {
    const [found] = this.#held.within(0, PROLOGUE_BYTES);
    if (found === undefined || found.end < PROLOGUE_BYTES) return undefined;
    const { value } = found;
    const bytes = 'piece' in value ? await this.#piece(value.piece) : value.bytes;
    return bytes?.subarray(value.shift, value.shift + PROLOGUE_BYTES);
  }

  /** Counts what was in the cache as what has come. */
  #progress({ done, total }: Progress): Progress {
    return { done: Math.min(this.#heldBefore + done, total), total };
  }

  #keep(start: number, bytes: Uint8Array): void {
    if (!this.#canStore || this.#closed) return;
    const place = { bytes, shift: -start };
    for (const added of this.#held.add(start, start + bytes.length, place)) {
      this.#pending.push({ start: added.start, bytes: bytes.subarray(added.start - start, added.end - start) });
      this.#pendingBytes += added.end - added.start;
    }
    if (this.#pendingBytes >= STORE_BYTES) this.#store();
  }

  #storeSoon(): void {
    if (this.#closed || this.#reading > 0) return;
    if (this.#pending.length === 0 && (this.#isNoted || this.#server === undefined)) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (this.#reading === 0) this.#store();
    }, STORE_AFTER);
  }

  /** Stores what has come. Does not fail: a cache that is full is not written to any more. */
  #store(): Promise<void> {
    this.#stored = this.#stored.then(async () => {
      const { content, size, url } = this.#options;
      if (this.#pending.length > 0 && this.#canStore) {
        this.#storing = this.#pending;
        this.#pending = [];
        this.#pendingBytes = 0;
        await content.add(size, url.href, this.#storing).catch(() => this.#stopStoring());
        this.#storing = [];
        this.#map();
      }
      await this.#note().catch(() => this.#stopStoring());
    });
    return this.#stored;
  }

  /** Notes that the address has this file, once something of it is stored. */
  async #note(): Promise<void> {
    const { entries, url, content, size } = this.#options;
    if (this.#isNoted || !this.#canStore || content.size === undefined) return;
    const version = (await this.#server)?.version;
    const head = await this.#prologue();
    if (version === undefined || head === undefined) return;
    this.#isNoted = true;
    await noteKnownUrl(entries, url.href, { integrity: content.integrity, size, head: [...head], version });
  }

  #stopStoring(): void {
    this.#canStore = false;
    this.#pending = [];
    this.#pendingBytes = 0;
  }

  /** Maps what is held anew: in memory, then in the cache. */
  #map(): void {
    this.#held = new RangeMap();
    for (const { start, bytes } of [...this.#storing, ...this.#pending]) {
      this.#held.add(start, start + bytes.length, { bytes, shift: -start });
    }
    for (const piece of this.#options.content.pieces) {
      let at = 0;
      for (const [start, end] of piece.ranges) {
        this.#held.add(start, end, { piece, shift: at - start });
        at += end - start;
      }
    }
  }

  #missing(bytes: number): ByteRange[] {
    const ranges: ByteRange[] = [];
    let left = bytes;
    for (const [start, end] of this.#held.missing(0, this.#options.size)) {
      if (left <= 0) break;
      const to = Math.min(end, start + left);
      ranges.push([start, to]);
      left -= to - start;
    }
    return ranges;
  }

  async #forget(): Promise<void> {
    const { content } = this.#options;
    this.#stopStoring();
    await this.#stored;
    await content.remove().catch(() => {});
    this.#pieces.clear();
    this.#hasUsedCache = false;
    this.#map();
  }

  async #close(): Promise<void> {
    if (this.#closed) return;
    clearTimeout(this.#timer);
    await within(this.#store(), CLOSE_TIMEOUT);
    this.#closed = true;
    this.#pieces.clear();
    const source = await this.#server?.catch(() => undefined);
    await source?.close();
  }

  #checkOpen(): void {
    if (!this.#closed) return;
    throw new PruneError('invalid-argument', { where: this.#name, what: 'the source is closed' });
  }

  #checkRange(start: number, end: number): void {
    const { size } = this.#options;
    if (start >= 0 && end >= start && end <= size) return;
    throw new PruneError('truncated', {
      where: this.#name,
      what: 'read past the end',
      got: `${size} bytes`,
      wanted: `bytes ${start} to ${end}`,
    });
  }
}

/** The bytes `[start, end)` of the places that have them: a view of the one that has all, or a copy. */
function joined(
  ranges: readonly MappedRange<Place>[],
  start: number,
  end: number,
  bytesOf: (place: Place) => Uint8Array,
): Uint8Array {
  const views = ranges.map((range) => {
    const [from, to] = [Math.max(start, range.start), Math.min(end, range.end)];
    const { shift } = range.value;
    return { at: from - start, bytes: bytesOf(range.value).subarray(from + shift, to + shift) };
  });
  if (views.length === 1) return views[0].bytes;
  const bytes = new Uint8Array(end - start);
  for (const view of views) bytes.set(view.bytes, view.at);
  return bytes;
}
