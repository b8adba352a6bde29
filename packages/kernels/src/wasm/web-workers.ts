import { type ThreadHost, WORKER_SOURCE } from './thread-host.js';

/** Web Workers, from a blob: a page whose content-security policy forbids that hands in a host of its own. */
export const webWorkers: ThreadHost = {
  async start(start) {
    const url = URL.createObjectURL(new Blob([WORKER_SOURCE], { type: 'text/javascript' }));
    try {
      const worker = new Worker(url);
      // A page is not told when a worker ends, but when one fails. Nothing else ends a worker that the page does not
      // terminate.
      const ended = new Promise<unknown>((resolve) => {
        worker.onerror = ({ message }) => resolve(new Error(message || 'the worker failed'));
        worker.onmessageerror = () => resolve(new Error('a message of the worker cannot be read'));
      });
      const ready = new Promise<undefined>((resolve) => {
        worker.onmessage = () => resolve(undefined);
      });
      worker.postMessage(start);
      const fault = await Promise.race([ready, ended]);
      if (fault !== undefined) {
        worker.terminate();
        throw fault;
      }
      return {
        ended,
        async stop() {
          worker.terminate();
        },
      };
    } finally {
      URL.revokeObjectURL(url);
    }
  },
};
