import { PruneError } from '@prune/core';
import type { PassingFailure } from './passing-failure.js';

/** How long, and how often, something is tried. */
export interface PatienceOptions {
  /** Attempts after the first one. */
  readonly retries: number;
  /** Milliseconds without a byte, attempts and the pauses between them included. */
  readonly timeout: number;
}

/** Milliseconds before the second attempt; each pause is up to twice as long as the one before. */
const FIRST_PAUSE = 250;
const LONGEST_PAUSE = 8000;

/**
 * Bytes after which attempts are counted anew. A server that ends each connection after fewer would be asked without
 * end.
 */
const ENOUGH_BYTES = 2 ** 14;

/** Decides how long one piece of work waits for a byte, and whether it is tried again after a failure. */
export class Patience {
  readonly #options: PatienceOptions;
  #failures = 0;
  #gained = 0;
  #lastByte = performance.now();

  constructor(options: PatienceOptions) {
    this.#options = options;
  }

  /** Bytes have come. */
  got(bytes: number): void {
    this.#lastByte = performance.now();
    this.#gained += bytes;
    if (this.#gained >= ENOUGH_BYTES) this.#failures = 0;
  }

  /**
   * Milliseconds to wait for the next byte before the attempt counts as failed: half of the timeout, so that a
   * connection that has stalled leaves time for another.
   */
  get wait(): number {
    return Math.max(0, Math.min(this.#options.timeout / 2, this.#left));
  }

  /** Pauses before the next attempt, or until `stop` is aborted. Throws when there is no next attempt. */
  async pause({ error, retryAfter }: PassingFailure, stop: AbortSignal): Promise<void> {
    const { retries, timeout } = this.#options;
    this.#gained = 0;
    if (++this.#failures > retries) throw error;
    const longest = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (this.#failures - 1));
    // Random, so that the clients of a server that was down do not all return at the same moment.
    const pause = Math.max(retryAfter ?? 0, longest * (0.5 + Math.random() / 2));
    if (pause < this.#left) return sleep(pause, stop);
    const { where, what, got, wanted } = error;
    const asked = retryAfter === undefined ? '' : `, and the server asks to wait ${retryAfter / 1000} s`;
    const late = `${what} (no byte within ${timeout / 1000} s${asked})`;
    throw new PruneError(error.code, { where, what: late, got, wanted, cause: error.cause ?? error });
  }

  get #left(): number {
    return this.#lastByte + this.#options.timeout - performance.now();
  }
}

function sleep(milliseconds: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      stop.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    stop.addEventListener('abort', done);
    if (stop.aborted) done();
  });
}
