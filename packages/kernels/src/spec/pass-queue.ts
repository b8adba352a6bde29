import { checkAborted } from '@prune/core';

/** Lets the passes of one encoder, which share its memory, compute one after the other in the order of their calls. */
export class PassQueue {
  readonly #waiting: (() => void)[] = [];
  readonly #untilIdle: (() => void)[] = [];
  #busy = false;

  /**
   * Runs `pass` when those before it are done: at once when there is none. A call that still waits when `signal` is
   * aborted leaves the queue at once and rejects with `aborted`.
   */
  async run<T>(pass: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    checkAborted(signal);
    if (this.#busy) await this.#turn(signal);
    this.#busy = true;
    try {
      return await pass();
    } finally {
      this.#next();
    }
  }

  /** Resolves when no pass computes or waits. */
  async idle(): Promise<void> {
    if (this.#busy) await new Promise<void>((resolve) => this.#untilIdle.push(resolve));
  }

  #turn(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const begin = () => {
        signal?.removeEventListener('abort', leave);
        resolve();
      };
      const leave = () => {
        this.#waiting.splice(this.#waiting.indexOf(begin), 1);
        try {
          checkAborted(signal);
        } catch (aborted) {
          reject(aborted);
        }
      };
      signal?.addEventListener('abort', leave, { once: true });
      this.#waiting.push(begin);
    });
  }

  /** Hands over to the next pass. The queue stays busy meanwhile, so that no new call gets in between. */
  #next(): void {
    const begin = this.#waiting.shift();
    if (begin !== undefined) begin();
    else {
      this.#busy = false;
      for (const resolve of this.#untilIdle.splice(0)) resolve();
    }
  }
}
