import {
  type ByteRange,
  checkAborted,
  checkLimit,
  type Limits,
  type Progress,
  PruneError,
  untilAborted,
} from '@prune/core';
import { answerInTime } from './answer-in-time.js';
import type { HttpVersion } from './http-version.js';
import { KeptParts } from './kept-parts.js';
import { Part } from './part.js';
import { PassingFailure } from './passing-failure.js';
import { Patience, type PatienceOptions } from './patience.js';
import { type Answer, type Asked, RemoteFile, type RemoteFileOptions } from './remote-file.js';
import { Slots } from './slots.js';

/** Options of {@link HttpReader}: those of `httpSource`, with their defaults. */
export interface HttpReaderOptions extends PatienceOptions, RemoteFileOptions {
  readonly signal?: AbortSignal;
  readonly size: number | undefined;
  /** What the first request asks for. */
  readonly first: Asked;
  readonly gapBytes: number;
  readonly parallel: number;
  readonly keepBytes: number;
  readonly limits: Pick<Limits, 'streamBytes'>;
  readonly onProgress?: (progress: Progress) => void;
}

type PartAnswer = Extract<Answer, { kind: 'part' }>;
type AllAnswer = Extract<Answer, { kind: 'all' }>;

/** Reads ranges of one remote file: decides what to fetch, keeps what came, and tries again. */
export class HttpReader {
  readonly #options: HttpReaderOptions;
  readonly #file: RemoteFile;
  readonly #parts: KeptParts;
  readonly #slots: Slots;
  /** Aborted at `close`, and with the caller's signal. */
  readonly #stop = new AbortController();
  readonly #onAbort = () => this.close(abortedError(this.#options.signal));
  #closed: unknown;
  #received = 0;
  /** What the first request gave. It stays: a reader comes back to the end of the file when it has read all else. */
  #first: Part | undefined;
  /** The whole file, where the server gives no ranges. */
  #all: Promise<Uint8Array> | undefined;

  constructor(url: URL, options: HttpReaderOptions) {
    this.#options = options;
    this.#file = new RemoteFile(url, options);
    this.#parts = new KeptParts(options.keepBytes);
    this.#slots = new Slots(options.parallel);
    options.signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  get name(): string {
    return this.#file.name;
  }

  get size(): number {
    return this.#file.size ?? 0;
  }

  get version(): HttpVersion | undefined {
    return this.#file.version;
  }

  /** Whether the file is downloaded as a whole, because its server gives no ranges. */
  get isWhole(): boolean {
    return this.#all !== undefined;
  }

  /** Finds out the size. What arrives with it is kept. */
  async open(): Promise<void> {
    if (this.#file.size !== undefined) return;
    const patience = new Patience(this.#options);
    const answer = await answerInTime(this.#file, this.#options.first, patience, {
      stop: this.#stop.signal,
      checkOpen: () => this.#checkOpen(),
    });
    if (answer.kind === 'empty') return;
    if (answer.kind !== 'part') {
      await this.#whole(answer);
      return;
    }
    const part = new Part(answer.start, answer.end);
    this.#parts.add(part);
    this.#first = part;
    // Nobody waits for these bytes yet, but they are on their way.
    part.users++;
    this.#fill(part, answer);
  }

  /** The bytes of ranges in any order, also of ranges that overlap: memory that is kept here, not to be changed. */
  async read(ranges: readonly ByteRange[], signal?: AbortSignal): Promise<Uint8Array[]> {
    checkAborted(signal);
    this.#checkOpen();
    for (const [start, end] of ranges) this.#checkRange(start, end);
    if (this.#all !== undefined) {
      const all = await untilAborted(this.#all, signal);
      return ranges.map(([start, end]) => all.subarray(start, end));
    }
    for (const [start, end] of this.#toFetch(ranges)) {
      const part = new Part(start, end);
      this.#parts.add(part);
      this.#fill(part);
    }
    const parts = ranges.map(([start, end]) => this.#parts.within(start, end));
    const used = new Set(parts.flat());
    for (const part of used) part.users++;
    try {
      const work = Promise.all(ranges.map(([start, end], i) => joined(parts[i], start, end)));
      const bytes = await untilAborted(work, signal);
      for (const part of used) this.#keep(part);
      return bytes;
    } finally {
      for (const part of used) if (--part.users === 0 && !part.isWhole) this.#cut(part, abortedError(signal));
    }
  }

  close(reason?: unknown): void {
    if (this.#closed !== undefined) return;
    this.#closed = reason ?? new PruneError('invalid-argument', { where: this.name, what: 'the source is closed' });
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    this.#stop.abort();
    for (const part of [...this.#parts.all()]) if (!part.isWhole) this.#cut(part, this.#closed);
    this.#parts.clear();
  }

  #checkOpen(): void {
    if (this.#closed !== undefined) throw this.#closed;
  }

  #checkRange(start: number, end: number): void {
    if (start >= 0 && end >= start && end <= this.size) return;
    throw new PruneError('truncated', {
      where: this.name,
      what: 'read past the end',
      got: `${this.size} bytes`,
      wanted: `bytes ${start} to ${end}`,
    });
  }

  /**
   * What to fetch for these ranges: what is missing, with the gaps between neighbours that are cheaper to fetch along.
   */
  #toFetch(ranges: readonly ByteRange[]): [start: number, end: number][] {
    const missing = ranges.flatMap(([start, end]) => this.#parts.missing(start, end)).sort((a, b) => a[0] - b[0]);
    const fetched: [start: number, end: number][] = [];
    for (const [start, end] of missing) {
      const last = fetched.at(-1);
      const isNear =
        last !== undefined &&
        start - last[1] <= this.#options.gapBytes &&
        // A part that lies between has bytes that would come twice.
        this.#parts.within(last[1], start).length === 0;
      if (isNear) last[1] = Math.max(last[1], end);
      else fetched.push([start, end]);
    }
    return fetched;
  }

  /** Fetches a part to its end, unless it is cut. Errors reach those who wait for its bytes. */
  async #fill(part: Part, first?: PartAnswer): Promise<void> {
    await this.#slots.take();
    try {
      const patience = new Patience(this.#options);
      let answer = first;
      while (!part.isWhole && !part.stop.signal.aborted) {
        const failure = await this.#attempt(part, patience, answer);
        answer = undefined;
        if (failure !== undefined && !part.stop.signal.aborted) await patience.pause(failure, part.stop.signal);
      }
      this.#keep(part);
    } catch (error) {
      this.#cut(part, error);
    } finally {
      this.#slots.give();
    }
  }

  /** Sends a request for what a part lacks, and gives why it must be sent again. */
  async #attempt(part: Part, patience: Patience, first?: PartAnswer): Promise<PassingFailure | undefined> {
    const { signal } = part.stop;
    const start = part.start + part.received;
    try {
      const answer =
        first ??
        (this.#all === undefined
          ? await this.#file.request({ start, end: part.end }, patience.wait, signal)
          : undefined);
      if (answer?.kind === 'part') return await this.#receive(part, answer, patience);
      const all = await this.#whole(answer);
      // Copied, because the part's memory is the part's own.
      if (!signal.aborted) part.append(all.subarray(start, part.end));
      return undefined;
    } catch (error) {
      if (signal.aborted) return undefined;
      if (error instanceof PassingFailure) return error;
      throw error;
    }
  }

  async #receive(part: Part, answer: PartAnswer, patience: Patience): Promise<PassingFailure | undefined> {
    const { body, start, end, exact } = answer;
    let at = start;
    try {
      while (!(exact && at === end)) {
        const chunk = await body.next(patience.wait);
        if (part.stop.signal.aborted) return undefined;
        if (chunk === undefined) break;
        if (at + chunk.byteLength > end) {
          throw new PruneError('corrupt', {
            where: this.name,
            what: "the server's answer has more bytes than its Content-Range says",
            wanted: end - start,
          });
        }
        at += chunk.byteLength;
        part.append(chunk);
        this.#got(chunk.byteLength, patience);
      }
    } catch (error) {
      body.cancel();
      throw error;
    }
    if (part.isWhole) return undefined;
    return new PassingFailure(
      new PruneError('io', {
        where: this.name,
        what: 'the server ends its answer early',
        got: `${part.received} bytes`,
        wanted: `${part.bytes.byteLength} from byte ${part.start} on`,
      }),
    );
  }

  #got(bytes: number, patience: Patience): void {
    patience.got(bytes);
    this.#received += bytes;
    this.#options.onProgress?.({ done: this.#received, total: Math.max(this.size, this.#received) });
  }

  #cut(part: Part, error: unknown): void {
    this.#parts.remove(part);
    part.cut(error);
    if (part.received === 0 || this.#closed !== undefined) return;
    this.#parts.add(part);
    this.#keep(part);
  }

  #keep(part: Part): void {
    if (part.isWhole && part !== this.#first) this.#parts.touch(part);
  }

  /** Downloads the file once, whoever asks first; `answer` is its beginning where a request gave that. */
  #whole(answer: Answer | undefined): Promise<Uint8Array> {
    if (this.#all === undefined) {
      this.#all = this.#download(answer?.kind === 'all' ? answer : undefined);
      this.#all.catch(() => {
        // The next read tries again.
        this.#all = undefined;
      });
      this.#all.then(
        () => this.#parts.clear(),
        () => {},
      );
    } else if (answer?.kind === 'all') answer.body.cancel();
    return this.#all;
  }

  async #download(first: AllAnswer | undefined): Promise<Uint8Array> {
    const patience = new Patience(this.#options);
    const bytes = new GrowingBytes(this.name, this.#options.limits.streamBytes);
    let answer: Answer | undefined = first;
    for (;;) {
      try {
        answer ??= await this.#file.request('all', patience.wait, this.#stop.signal);
        if (answer.kind === 'all') return await this.#receiveAll(bytes, answer, patience);
      } catch (error) {
        this.#checkOpen();
        if (!(error instanceof PassingFailure)) throw error;
        await patience.pause(error, this.#stop.signal);
        this.#checkOpen();
      }
      answer = undefined;
    }
  }

  /** Receives all of the file. What an attempt before it received must come again, or it is another file. */
  async #receiveAll(bytes: GrowingBytes, { body, length }: AllAnswer, patience: Patience): Promise<Uint8Array> {
    let at = 0;
    try {
      if (length !== undefined) bytes.checkLength(length);
      while (at !== length) {
        const chunk = await body.next(patience.wait);
        if (chunk === undefined) break;
        const known = Math.min(chunk.byteLength, bytes.length - at);
        if (known > 0 && !bytes.hasAt(at, chunk.subarray(0, known))) {
          throw new PruneError('mismatch', { where: this.name, what: 'the file changed while it was downloaded' });
        }
        bytes.append(chunk.subarray(Math.max(0, known)));
        at += chunk.byteLength;
        this.#got(chunk.byteLength - Math.max(0, known), patience);
      }
    } catch (error) {
      body.cancel();
      throw error;
    }
    if (at < (length ?? bytes.length)) {
      const what = 'the server ends its answer early';
      throw new PassingFailure(
        new PruneError('io', { where: this.name, what, got: `${at} bytes`, wanted: length ?? bytes.length }),
      );
    }
    this.#file.checkSize(at);
    return bytes.all();
  }
}

/** Bytes of which it is not known how many will come: memory grows with what came, not with what a server says. */
class GrowingBytes {
  readonly #where: string;
  readonly #most: number;
  #buffer = new Uint8Array(2 ** 16);
  length = 0;

  constructor(where: string, most: number) {
    this.#where = where;
    this.#most = most;
  }

  checkLength(length: number): void {
    checkLimit('the server gives no ranges, and the whole file has too many bytes', length, this.#most, {
      where: this.#where,
    });
  }

  append(chunk: Uint8Array): void {
    const length = this.length + chunk.byteLength;
    this.checkLength(length);
    if (length > this.#buffer.byteLength) {
      const grown = new Uint8Array(Math.max(2 * this.#buffer.byteLength, length));
      grown.set(this.#buffer.subarray(0, this.length));
      this.#buffer = grown;
    }
    this.#buffer.set(chunk, this.length);
    this.length = length;
  }

  hasAt(at: number, chunk: Uint8Array): boolean {
    const known = this.#buffer.subarray(at, at + chunk.byteLength);
    return chunk.every((byte, i) => byte === known[i]);
  }

  all(): Uint8Array {
    return this.#buffer.subarray(0, this.length);
  }
}

/** The bytes `[start, end)` of the parts that have them: a view of the one that has all, or a copy. */
async function joined(parts: readonly Part[], start: number, end: number): Promise<Uint8Array> {
  // All at once, because a part that is cut meanwhile ends earlier.
  await Promise.all(parts.map((part) => part.reach(Math.min(part.end, end))));
  const views = parts.map((part) => part.bytes.subarray(Math.max(0, start - part.start), end - part.start));
  if (views.length === 1) return views[0];
  const bytes = new Uint8Array(end - start);
  let at = 0;
  for (const view of views) {
    bytes.set(view, at);
    at += view.byteLength;
  }
  return bytes;
}

/** What those are told whose part nobody needs any more: the signal's own reason is in its cause. */
function abortedError(signal: AbortSignal | undefined): unknown {
  try {
    checkAborted(signal);
  } catch (error) {
    return error;
  }
  return new PruneError('aborted', { what: 'nobody waits for these bytes' });
}
