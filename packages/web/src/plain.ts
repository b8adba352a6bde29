import { openModel as openInWorker } from './open-model.js';
import { besideKernels } from './worker/beside-kernels.js';
import { serveModel, type WorkerPort } from './worker/serve-model.js';
import { PLAIN_WORKER_NAME, startPlainWorker } from './worker/start-plain-worker.js';

// The package as one file, dist/plain.js, for pages without a bundler. The worker that it starts is the same file. The
// kernels are files of their own: tsup.config.ts leaves them out of this one.

interface WorkerGlobals {
  readonly WorkerGlobalScope?: unknown;
  readonly name?: unknown;
}

export { blobSource } from './blob-source.js';
export { DEFAULT_HTTP_SOURCE_OPTIONS, httpSource } from './http-source.js';

export const openModel: typeof openInWorker = (from, options) =>
  openInWorker(from, { ...options, worker: options?.worker ?? startPlainWorker });

const { WorkerGlobalScope, name } = globalThis as WorkerGlobals;
// By its name, because a page's own worker may import this file too.
if (WorkerGlobalScope !== undefined && name === PLAIN_WORKER_NAME) {
  serveModel(globalThis as unknown as WorkerPort, { wasm: besideKernels });
}
