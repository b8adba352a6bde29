/**
 * What a worker needs. It instantiates `module` with `memory` as `env.memory` and a function that does nothing as
 * `env.watch`, and calls the export `work(index)`, which returns at the end. When that throws, it calls
 * `abandon(index)`, so that nobody waits for it.
 */
export interface ThreadStart {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly index: number;
}

/** A worker that runs. */
export interface Thread {
  /**
   * Ends the worker whatever it is doing, and resolves when it has ended. Called once its `work` is about to return, or
   * will never.
   */
  stop(): Promise<void>;
  /**
   * Resolves when the worker ends, however it ends. With it, threads that die between two passes are replaced before
   * the next.
   */
  readonly ended?: Promise<unknown>;
  /**
   * Whether the worker still runs, found out while no event can arrive: the caller's thread asks when it has waited for
   * the others for 0.1 s. A host that cannot say leaves it out; then a worker counts as dead when no thread has made a
   * step in 600 such looks.
   */
  isAlive?(): boolean;
}

/** Where an engine's workers come from. */
export interface ThreadHost {
  /** Resolves when the worker is about to call `work`; rejects when it ended before. */
  start(start: ThreadStart): Promise<Thread>;
  /**
   * One sentence that says why workers cannot start here, or `undefined` if they can. Asked when an engine is made,
   * which then computes on one thread. A host that leaves it out promises threads.
   */
  whyNoThreads?(): Promise<string | undefined>;
}

/** What a host sends to a worker to learn whether workers start at all. The worker answers as one that is ready. */
export const CHECK_MESSAGE = 'check';

/** When one worker fails, those that wait for it fail too: only the first error is reported. */
const SERVE = `
const serve = ({ module, memory, index }, ready) => {
  const { work, abandon } = new WebAssembly.Instance(module, { env: { memory, watch() {} } }).exports;
  ready();
  try {
    work(index);
  } catch (error) {
    if (abandon(index)) throw error;
  }
};`;

const SERVE_WEB = `
const ready = () => self.postMessage('ready');
self.onmessage = ({ data }) => (data === '${CHECK_MESSAGE}' ? ready() : serve(data, ready));
self.onmessageerror = () => {
  throw new Error('the kernels cannot be sent to this worker');
};`;

/** The program of a Web Worker, as a script and as a module: what `@prune/kernels/worker` holds. */
export const WEB_WORKER_SOURCE = `${SERVE}${SERVE_WEB}
`;

/**
 * A worker's program, for both kinds of workers. In Node it waits for its event loop, because the host can tell only
 * afterwards whether the worker runs.
 */
export const WORKER_SOURCE = `${SERVE}
if (typeof require === 'function') {
  const { parentPort, workerData } = require('node:worker_threads');
  setImmediate(() => serve(workerData, () => parentPort.postMessage('ready')));
} else {${SERVE_WEB}
}
`;
