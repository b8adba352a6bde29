import { PruneError } from '@prune/core';
import { type ThreadHost, WORKER_SOURCE } from './thread-host.js';

/** Web Workers, from a blob: a page whose content-security policy forbids that hands in a host of its own. */
export const webWorkers: ThreadHost = {
  async start(start) {
    const url = URL.createObjectURL(new Blob([WORKER_SOURCE], { type: 'text/javascript' }));
    try {
      const worker = new Worker(url);
      await new Promise<void>((resolve, reject) => {
        worker.onmessage = () => resolve();
        worker.onerror = ({ message }) =>
          reject(new PruneError('io', { where: 'kernels', what: 'a worker did not start', got: message }));
        worker.postMessage(start);
      });
      return {
        async stop() {
          worker.terminate();
        },
      };
    } finally {
      URL.revokeObjectURL(url);
    }
  },
};
