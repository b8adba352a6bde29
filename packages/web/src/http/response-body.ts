import { PruneError } from '@prune/core';
import { fetchError } from './fetch-error.js';
import type { HttpResponse } from './http-fetch.js';
import { PassingFailure } from './passing-failure.js';
import { within } from './within.js';

/** The bytes of a response, chunk by chunk. */
export class ResponseBody {
  readonly #where: string;
  readonly #reader: ReturnType<NonNullable<HttpResponse['body']>['getReader']> | undefined;
  readonly #stop: () => void;

  /** `stop` ends the request. */
  constructor({ body }: HttpResponse, where: string, stop: () => void) {
    this.#where = where;
    this.#reader = body?.getReader();
    this.#stop = stop;
  }

  /**
   * The next chunk; `undefined` at the end. Throws {@link PassingFailure} when the connection breaks, or when no byte
   * comes for `wait` milliseconds.
   */
  async next(wait: number): Promise<Uint8Array | undefined> {
    for (;;) {
      const read = this.#reader?.read() ?? Promise.resolve({ done: true, value: undefined });
      const result = await within(read, wait).catch((cause) => {
        throw new PassingFailure(fetchError(this.#where, cause));
      });
      if (result === undefined) {
        this.cancel();
        throw new PassingFailure(stalled(this.#where, wait));
      }
      if (result.done) return undefined;
      if (result.value !== undefined && result.value.byteLength > 0) return result.value;
    }
  }

  /** Drops the rest. */
  cancel(): void {
    this.#reader?.cancel().catch(() => {});
    this.#stop();
  }
}

/** What is said when no byte came. */
export function stalled(where: string, milliseconds: number): PruneError {
  return new PruneError('io', { where, what: `no byte came for ${Math.round(milliseconds) / 1000} s` });
}
