import { checkAborted, untilAborted } from '@prune/core';

/** Work under way, or done. */
interface Running<T> {
  readonly result: Promise<T>;
  readonly controller: AbortController;
  done: boolean;
  /** How many callers wait for it. */
  waiting: number;
}

/**
 * Work that is done once for all callers, at the first call, and whose result is kept. It is stopped when every caller
 * that waited for it has aborted. After that, and after an error, the next call begins it anew.
 */
export class SharedWork<T> {
  readonly #work: (signal: AbortSignal) => Promise<T>;
  #running: Running<T> | undefined;

  /** `work` is to end soon after its signal aborts. */
  constructor(work: (signal: AbortSignal) => Promise<T>) {
    this.#work = work;
  }

  /** Rejects as the work does, and with `aborted` as soon as `signal` aborts. */
  async result(signal?: AbortSignal): Promise<T> {
    checkAborted(signal);
    this.#running ??= this.#begin();
    const running = this.#running;
    running.waiting++;
    try {
      return await untilAborted(running.result, signal);
    } finally {
      running.waiting--;
      if (running.waiting === 0 && !running.done) {
        this.#forget(running);
        running.controller.abort();
      }
    }
  }

  #begin(): Running<T> {
    const controller = new AbortController();
    const running = { result: this.#work(controller.signal), controller, done: false, waiting: 0 };
    running.result.then(
      () => {
        running.done = true;
      },
      () => {
        running.done = true;
        this.#forget(running);
      },
    );
    return running;
  }

  #forget(running: Running<T>): void {
    if (this.#running === running) this.#running = undefined;
  }
}
