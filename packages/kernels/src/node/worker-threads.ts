import { Worker } from 'node:worker_threads';
import { type ThreadHost, WORKER_SOURCE } from '../wasm/thread-host.js';

/** Workers of `node:worker_threads`, for `createEngine({ threads, threadHost })`. They do not keep the process alive. */
export const workerThreads: ThreadHost = {
  async start(start) {
    const worker = new Worker(WORKER_SOURCE, { eval: true, workerData: start });
    await new Promise<void>((resolve, reject) => {
      worker.once('message', () => resolve());
      worker.once('error', reject);
    });
    worker.unref();
    return {
      async stop() {
        await worker.terminate();
      },
    };
  },
};
