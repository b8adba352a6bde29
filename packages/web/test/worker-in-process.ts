import { MessageChannel } from 'node:worker_threads';
import type { ModelWorker } from '../src/worker/model-worker.js';
import { type ServeModelOptions, serveModel } from '../src/worker/serve-model.js';

/**
 * A worker that is not one: the same program on this thread, behind the same messages, which are copied as those of a
 * worker are.
 */
export interface WorkerInProcess extends ModelWorker {
  readonly isTerminated: boolean;
  /** What an event of a failing worker does. */
  fail(message: string | undefined): void;
}

/** Starts one. */
export function workerInProcess(options: ServeModelOptions = {}): WorkerInProcess {
  const { port1, port2 } = new MessageChannel();
  const failed: ((event: { readonly message?: string }) => void)[] = [];
  let isTerminated = false;
  serveModel(
    {
      postMessage: (message) => port2.postMessage(message),
      addEventListener: (_, listener) => port2.on('message', (data) => listener({ data })),
    },
    options,
  );
  return {
    get isTerminated() {
      return isTerminated;
    },
    postMessage: (message) => port1.postMessage(message),
    addEventListener(type, listener) {
      if (type === 'message') port1.on('message', (data) => listener({ data }));
      else if (type === 'error') failed.push(listener);
    },
    terminate() {
      isTerminated = true;
      port1.close();
    },
    fail(message) {
      for (const listener of failed) listener({ message });
    },
  };
}
