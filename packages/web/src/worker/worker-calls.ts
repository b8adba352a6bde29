import { checkAborted, locateError, PruneError } from '@prune/core';
import type { CallProgress, ModelFacts, Reply, Request } from './messages.js';
import type { ModelWorker } from './model-worker.js';
import { receivedError } from './sent-error.js';
import { WorkerLife, type WorkerLifeOptions } from './worker-life.js';

/** How a call is stopped and watched. */
export interface CallOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: CallProgress) => void;
  /** Whether progress comes after the answer too. */
  readonly goesOn?: boolean;
}

interface Pending extends CallOptions {
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** The calls of a worker: each has one answer, which is an error when the worker dies. */
export class WorkerCalls {
  /** How the model computes, as of the last answer. */
  info: ModelFacts['info'] | undefined;
  readonly #worker: ModelWorker;
  /** The model, in messages. */
  readonly #where: string;
  readonly #pending = new Map<number, Pending>();
  /** What watches work that goes on after the answer of its call. */
  readonly #watching = new Map<number, NonNullable<CallOptions['onProgress']>>();
  readonly #life: WorkerLife;
  #next = 0;
  #ended: PruneError | undefined;

  constructor(worker: ModelWorker, where: string, life?: WorkerLifeOptions) {
    this.#worker = worker;
    this.#where = where;
    worker.addEventListener('message', ({ data }) => this.#receive(data as Reply));
    worker.addEventListener('error', ({ message }) => this.end(this.#failed(message)));
    worker.addEventListener('messageerror', () => this.end(this.#failed('a message cannot be read')));
    worker.unref?.();
    const ask = () => worker.postMessage({ ask: 'alive' } satisfies Request);
    const died = () => this.end(this.#failed('it has ended without a word, perhaps for want of memory'));
    this.#life = new WorkerLife(ask, died, life);
  }

  /** The name of the Web Lock that the worker is to hold. */
  get lock(): string | undefined {
    return this.#life.lock;
  }

  /** Calls a function of the worker. `signal` and `onProgress` stay here; a call that is stopped rejects at once. */
  async call(
    call: string,
    args: readonly unknown[],
    { signal, onProgress, goesOn }: CallOptions = {},
  ): Promise<unknown> {
    checkAborted(signal);
    if (this.#ended !== undefined) throw this.#ended;
    const id = this.#next++;
    const stop = () => {
      try {
        checkAborted(signal);
      } catch (error) {
        this.#stop(id, locateError(error, { where: this.#where }));
      }
    };
    try {
      return await new Promise((resolve, reject) => {
        // Sent first: what cannot be sent is an error of this call, and then nothing is waited for.
        this.#send({ id, call, args });
        this.#pending.set(id, { resolve, reject, onProgress });
        if (goesOn && onProgress !== undefined) this.#watching.set(id, onProgress);
        if (this.#pending.size === 1) {
          this.#worker.ref?.();
          this.#life.waits(true);
        }
        signal?.addEventListener('abort', stop, { once: true });
      });
    } finally {
      signal?.removeEventListener('abort', stop);
    }
  }

  /** Ends the worker. Calls that wait, and those that come, reject with the error. */
  end(error: PruneError): void {
    if (this.#ended !== undefined) return;
    this.#ended = error;
    this.#life.end();
    this.#watching.clear();
    for (const id of [...this.#pending.keys()]) this.#take(id)?.reject(error);
    this.#worker.terminate();
  }

  #receive(reply: Reply): void {
    this.#life.heard('alive' in reply && reply.alive === 'locked');
    if ('alive' in reply) return;
    if ('progress' in reply) {
      try {
        (this.#pending.get(reply.id)?.onProgress ?? this.#watching.get(reply.id))?.(reply.progress);
      } catch (error) {
        // What the callback throws stops the work.
        this.#stop(reply.id, error);
      }
      return;
    }
    const pending = this.#take(reply.id);
    if ('error' in reply) pending?.reject(receivedError(reply.error));
    else {
      this.info = reply.info ?? this.info;
      pending?.resolve(reply.value);
    }
  }

  #stop(id: number, error: unknown): void {
    const pending = this.#take(id);
    if (!this.#watching.delete(id) && pending === undefined) return;
    this.#worker.postMessage({ abort: id } satisfies Request);
    pending?.reject(error);
  }

  #take(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    if (this.#pending.delete(id) && this.#pending.size === 0) {
      this.#worker.unref?.();
      this.#life.waits(false);
    }
    return pending;
  }

  #send(request: Request): void {
    try {
      this.#worker.postMessage(request);
    } catch (cause) {
      const what = `an argument cannot be sent to the worker: ${(cause as Error).message}`;
      throw new PruneError('invalid-argument', { where: this.#where, what, cause });
    }
  }

  #failed(message: string | undefined): PruneError {
    const reason =
      "; perhaps the page's content-security policy (worker-src, script-src) forbids it, or its file is missing";
    const what = `the worker of the model failed: ${message || `the browser does not say why${reason}`}`;
    return new PruneError('io', { where: this.#where, what });
  }
}
