interface Waiter {
  readonly upTo: number;
  resolve(): void;
  reject(error: unknown): void;
}

/** Bytes `[start, end)` of the file: those that have arrived, and those that a request is under way for. */
export class Part {
  readonly start: number;
  end: number;
  /** `end - start` bytes. The first `received` have arrived. */
  bytes: Uint8Array;
  received = 0;
  /** How many reads need it. One that nobody needs is not fetched to its end. */
  users = 0;
  /** Aborted when the rest is not fetched: an error, or nobody needs it. */
  readonly stop = new AbortController();
  #waiters: Waiter[] = [];
  #error: unknown;

  constructor(start: number, end: number) {
    this.start = start;
    this.end = end;
    this.bytes = new Uint8Array(end - start);
  }

  get isWhole(): boolean {
    return this.received === this.bytes.byteLength;
  }

  append(chunk: Uint8Array): void {
    this.bytes.set(chunk, this.received);
    this.received += chunk.byteLength;
    const upTo = this.start + this.received;
    const arrived = this.#waiters.filter((waiter) => waiter.upTo <= upTo);
    this.#waiters = this.#waiters.filter((waiter) => waiter.upTo > upTo);
    for (const { resolve } of arrived) resolve();
  }

  /** Resolves when all bytes before `upTo` have arrived. */
  reach(upTo: number): Promise<void> {
    if (upTo <= this.start + this.received) return Promise.resolve();
    if (this.stop.signal.aborted) return Promise.reject(this.#error);
    return new Promise((resolve, reject) => {
      this.#waiters.push({ upTo, resolve, reject });
    });
  }

  /** Fetches no more; keeps what has arrived. Who waits for the rest gets the error. */
  cut(error: unknown): void {
    this.#error = error;
    this.stop.abort();
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const { reject } of waiters) reject(error);
    this.end = this.start + this.received;
    // A copy, so that the memory of what never came is freed.
    this.bytes = this.bytes.slice(0, this.received);
  }
}
