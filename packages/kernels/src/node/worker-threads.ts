import { type ThreadHost, WORKER_SOURCE } from '../wasm/thread-host.js';
import { startWorker } from './start-worker.js';

/** Workers of `node:worker_threads`, for `createEngine({ threads, threadHost })`. They do not keep the process alive. */
export const workerThreads: ThreadHost = {
  start: (start) => startWorker(WORKER_SOURCE, start),
};
