import { type ServeModelOptions, serveModel, type WorkerPort } from './worker/serve-model.js';

export { type ServeModelOptions, serveModel, type WorkerPort };

type WorkerThreads = typeof import('node:worker_threads');

interface WorkerGlobals {
  readonly process?: { getBuiltinModule?(name: string): unknown };
  /** In workers of the browser, not in pages. */
  readonly WorkerGlobalScope?: unknown;
}

// The program of the worker that `openModel` starts. Outside a worker it does nothing.
const { process, WorkerGlobalScope } = globalThis as WorkerGlobals;
const node = process?.getBuiltinModule?.('node:worker_threads') as WorkerThreads | undefined;
if (node?.parentPort) {
  const { parentPort } = node;
  serveModel({
    postMessage: (message) => parentPort.postMessage(message),
    addEventListener: (_, listener) => parentPort.on('message', (data) => listener({ data })),
  });
} else if (WorkerGlobalScope !== undefined) serveModel(globalThis as unknown as WorkerPort);
