import { besideKernels } from './worker/beside-kernels.js';
import { PLAIN_WORKER_NAME } from './worker/plain-worker-name.js';
import { serveModel, type WorkerPort } from './worker/serve-model.js';

// The program of the worker that dist/plain.js starts, as one file, dist/plain-worker.js. The kernels are files of
// their own: tsup.config.ts leaves them out of this one.

interface WorkerGlobals {
  readonly WorkerGlobalScope?: unknown;
  readonly name?: unknown;
}

export { cachedSource } from './cached-source.js';
export { httpSource } from './http-source.js';

const { WorkerGlobalScope, name } = globalThis as WorkerGlobals;
// By its name, because a page's own worker may import this file too.
if (WorkerGlobalScope !== undefined && name === PLAIN_WORKER_NAME) {
  serveModel(globalThis as unknown as WorkerPort, { wasm: besideKernels });
}
