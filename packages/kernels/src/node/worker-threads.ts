import { Worker } from 'node:worker_threads';
import { startNodeWorker } from '../wasm/start-node-worker.js';
import { type ThreadHost, WORKER_SOURCE } from '../wasm/thread-host.js';

/**
 * Workers of `node:worker_threads`, for `createEngine({ threads, threadHost })`: what Node has without it, too, from
 * 20.16 on. They do not keep the process alive.
 */
export const workerThreads: ThreadHost = {
  start: (start) => startNodeWorker(Worker, WORKER_SOURCE, start),
};
