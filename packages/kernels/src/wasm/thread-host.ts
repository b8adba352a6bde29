/** What a worker needs; it instantiates `module` with `memory` as `env.memory` and calls the export `work(index)`, which returns at the end. */
export interface ThreadStart {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly index: number;
}

/** A worker that runs. */
export interface Thread {
  /** Called when its `work` returns or is about to. */
  stop(): Promise<void>;
}

/** Where an engine's workers come from. */
export interface ThreadHost {
  /** Resolves when the worker is about to call `work`. */
  start(start: ThreadStart): Promise<Thread>;
}

/** A worker's program, for both kinds of workers. */
export const WORKER_SOURCE = `
const serve = ({ module, memory, index }, ready) => {
  const { work } = new WebAssembly.Instance(module, { env: { memory } }).exports;
  ready();
  work(index);
};
if (typeof require === 'function') {
  const { parentPort, workerData } = require('node:worker_threads');
  serve(workerData, () => parentPort.postMessage('ready'));
} else {
  self.onmessage = ({ data }) => serve(data, () => self.postMessage('ready'));
}
`;
